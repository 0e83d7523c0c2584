import RecurrentModel
import TensorCore

/// The tensors of a fixture, taken one after another until none is left.
struct FixtureParts {
  private var tensors: [String: Tensor]

  init(_ tensors: [String: Tensor]) { self.tensors = tensors }

  mutating func take(_ name: String) -> Tensor? { tensors.removeValue(forKey: name) }

  /// All of `state_dict/`, by the names without it.
  mutating func takeStateDict() -> [String: Tensor] {
    let prefix = "state_dict/"
    var stateDict: [String: Tensor] = [:]
    for name in tensors.keys where name.hasPrefix(prefix) {
      stateDict[String(name.dropFirst(prefix.count))] = take(name)
    }
    return stateDict
  }

  /// `outputs/…`: all of a module's results, or, of a chain, what it hands on at last and any
  /// of the others. Where nothing is computed, that last one may be missing.
  mutating func takeReference(
    _ manifest: Manifest, isComputed: Bool
  ) throws(InvalidValue) -> Results {
    var reference = Results()
    for module in manifest.modules {
      for result in module.results {
        let name = Results.name(result, of: module.name)
        reference[name] =
          module.name.isEmpty ? try takeRequired("outputs/" + name) : take("outputs/" + name)
      }
    }
    guard reference["output"] == nil, !manifest.modules[0].name.isEmpty else { return reference }
    reference["output"] =
      isComputed ? try takeRequired("outputs/output") : take("outputs/output")
    guard reference.named.isEmpty else { return reference }
    throw InvalidValue("outputs/output", expected: "a tensor", found: "none")
  }

  /// `inputs/lengths`, which are there exactly where the manifest says `packed`.
  mutating func packing(_ packed: Manifest.Packed?) throws(InvalidValue) -> Packing? {
    let name = "inputs/lengths"
    guard let lengths = take(name) else {
      guard packed == nil else {
        throw InvalidValue(name, expected: "a tensor, for packed", found: "none")
      }
      return nil
    }
    guard let packed else {
      throw InvalidValue(name, expected: "packed in the manifest", found: "none")
    }
    guard let integers = lengths.integers, lengths.shape.rank == 1 else {
      throw InvalidValue(
        name, expected: "one axis of int64 or int32",
        found: "\(lengths.elementType) \(lengths.shape)")
    }
    if let bad = integers.first(where: { $0 < 1 }) {
      throw InvalidValue(name, expected: "lengths of at least 1", found: "\(bad)")
    }
    return Packing(
      lengths: integers.map { Int($0) }, enforceSorted: packed.enforceSorted,
      totalLength: packed.totalLength)
  }

  /// - Throws: where a tensor is left that nobody took.
  func requireEmpty() throws(InvalidValue) {
    guard let unused = tensors.keys.min(), let tensor = tensors[unused] else { return }
    throw InvalidValue(
      unused, expected: "no such tensor in this case", found: "one of \(tensor.shape)")
  }

  mutating func takeRequired(_ name: String) throws(InvalidValue) -> Tensor {
    guard let tensor = take(name) else {
      throw InvalidValue(name, expected: "a tensor", found: "none")
    }
    return tensor
  }
}
