import ArchiveComparison
import ParityFixtures
import RecurrentModel
import TensorArchives

/// The two sides of `parity-check compare`. Each is all tensors of a file or folder, one of them, or
/// the parameters of a recurrent module in it.
struct ComparedSides {
  /// One side.
  struct Side {
    let tensors: NamedTensors
    /// Nil where the tensors are not taken as the parameters of one module.
    let module: Checkpoint?

    fileprivate init(_ tensors: NamedTensors) { (self.tensors, module) = (tensors, nil) }

    /// The outputs of a fixture, by the names that other files have for them.
    fileprivate init(outputsOf side: Side) {
      module = nil
      tensors = NamedTensors(
        side.tensors.archive, prefix: Self.group, names: side.outputs.sorted())
    }

    /// What the names of outputs start with in a fixture.
    private static let group = "outputs/"

    /// The names of the outputs where the tensors are a fixture's, without their group.
    fileprivate var outputs: Set<String> {
      Set(
        tensors.names.filter { $0.hasPrefix(Self.group) }
          .map { String($0.dropFirst(Self.group.count)) })
    }

    fileprivate init(_ module: Checkpoint) {
      self.module = module
      tensors = NamedTensors(
        module.archive, prefix: module.module.prefix,
        names: module.module.configuration.parameters.map(\.name))
    }
  }

  let expected: Side
  let actual: Side
  /// What there is to say of how the tensors were chosen; nil where there is nothing.
  let note: String?

  /// The two modules, where both sides are one.
  var modules: ModulePair? {
    guard let expected = expected.module, let actual = actual.module else { return nil }
    return (expected, actual)
  }

  typealias ModulePair = (expected: Checkpoint, actual: Checkpoint)

  /// Opens both. Where one names a module, the other is a module too: the one that it names, or
  /// the only one that it holds. Where neither names anything, and no tensor is in both, they are
  /// modules if each file holds the parameters of one and nothing else. Where no tensor is in both
  /// but for the group `outputs/` in the names of a fixture, that side is the fixture's outputs.
  ///
  /// - Parameter map: which names belong together, as the user says: the actual ones by the
  ///   expected ones.
  /// - Throws: `ArchiveError` or `CaseError` where a file can't be opened, and for a name that is
  ///   neither a tensor's nor a module's.
  init(map: [String: String], expected: TensorReference, actual: TensorReference) throws {
    var sides = [try Self.side(expected), try Self.side(actual)]
    let references = [expected, actual]
    let isModule = sides.map { $0.module != nil }
    for (index, reference) in references.enumerated()
    where reference.name == nil && isModule[1 - index] {
      sides[index] = Side(try Checkpoint(reference.path))
    }
    let isUnnamed = references.allSatisfy { $0.name == nil }
    var note: String?
    if map.isEmpty, isUnnamed,
      Set(sides[0].tensors.names).isDisjoint(with: sides[1].tensors.names),
      let first = try? Checkpoint(expected.path), let second = try? Checkpoint(actual.path),
      first.holdsNothingElse, second.holdsNothingElse
    {
      sides = [Side(first), Side(second)]
    } else if isUnnamed, let index = Self.indexOfFixture(sides, map) {
      sides[index] = Side(outputsOf: sides[index])
      note = "of \(references[index].path), the outputs/ alone are compared"
    }
    (self.expected, self.actual, self.note) = (sides[0], sides[1], note)
  }

  /// The side that is a fixture, where names meet once `outputs/` is left out of its own: those of
  /// both sides, or those that the map states. Nil where they meet as they stand.
  private static func indexOfFixture(_ sides: [Side], _ map: [String: String]) -> Int? {
    let mapped = [Set(map.keys), Set(map.values)]
    return sides.indices.first { index in
      let (names, outputs) = (Set(sides[index].tensors.names), sides[index].outputs)
      let others = Set(sides[1 - index].tensors.names)
      if map.isEmpty { return names.isDisjoint(with: others) && !outputs.isDisjoint(with: others) }
      return names.isDisjoint(with: mapped[index]) && mapped[index].isSubset(of: outputs)
    }
  }

  private static func side(_ reference: TensorReference) throws -> Side {
    let archive = try TensorContainer.open(
      reference.path, shape: reference.shape, namingFiles: true)
    if let name = reference.name, !archive.tensorNames.contains(name) {
      let checkpoint = CheckpointArchive(archive)
      // Names of ONNX's nodes start with a slash, which the reference leaves out.
      let spellings = [name, "/" + name]
      let module = checkpoint.modules.first { module in
        spellings.contains { $0 == module.name || $0 == module.prefix }
      }
      if let module { return Side(try Checkpoint(reference.path, prefix: module.prefix)) }
      if let problem = spellings.lazy.compactMap({ checkpoint.problem(of: $0) }).first {
        throw problem
      }
    }
    return Side(try NamedTensors(archive, only: reference.name))
  }
}
