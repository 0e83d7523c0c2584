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

    fileprivate init(_ module: Checkpoint) {
      self.module = module
      tensors = NamedTensors(
        module.archive, prefix: module.module.prefix,
        names: module.module.configuration.parameters.map(\.name))
    }
  }

  let expected: Side
  let actual: Side

  /// The two modules, where both sides are one.
  var modules: ModulePair? {
    guard let expected = expected.module, let actual = actual.module else { return nil }
    return (expected, actual)
  }

  typealias ModulePair = (expected: Checkpoint, actual: Checkpoint)

  /// Opens both. Where one names a module, the other is a module too: the one that it names, or
  /// the only one that it holds. Where neither names anything, and no tensor is in both, they are
  /// modules if each file holds the parameters of one and nothing else.
  ///
  /// - Parameter isMapped: whether the user says which names belong together.
  /// - Throws: `ArchiveError` or `CaseError` where a file can't be opened, and for a name that is
  ///   neither a tensor's nor a module's.
  init(isMapped: Bool, expected: TensorReference, actual: TensorReference) throws {
    var sides = [try Self.side(expected), try Self.side(actual)]
    let references = [expected, actual]
    let isModule = sides.map { $0.module != nil }
    for (index, reference) in references.enumerated()
    where reference.name == nil && isModule[1 - index] {
      sides[index] = Side(try Checkpoint(reference.path))
    }
    if !isMapped, references.allSatisfy({ $0.name == nil }),
      Set(sides[0].tensors.names).isDisjoint(with: sides[1].tensors.names),
      let first = try? Checkpoint(expected.path), let second = try? Checkpoint(actual.path),
      first.holdsNothingElse, second.holdsNothingElse
    {
      sides = [Side(first), Side(second)]
    }
    (self.expected, self.actual) = (sides[0], sides[1])
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
