import RecurrentModel
import TensorCore

/// The tensors of a fixture, taken out one after another. What is left when every part of the
/// case has been taken is a tensor that the case does not have.
struct FixtureParts {
  private var tensors: [String: Tensor]

  /// - Parameter tensors: all of them, by their names in the fixture, such as `inputs/h_0`.
  init(_ tensors: [String: Tensor]) { self.tensors = tensors }

  /// Takes a tensor; nil where there is none of this name.
  mutating func take(_ name: String) -> Tensor? { tensors.removeValue(forKey: name) }

  /// Takes all parameters, by their names without `state_dict/`.
  mutating func takeStateDict() -> [String: Tensor] { tensors.takeAll(withPrefix: "state_dict/") }

  /// Takes the outputs. A case of one module must have all results of the module, or those that
  /// its manifest lists. A chain must have the last module's result, `output`, where it can be
  /// computed, and may have any of the other results.
  ///
  /// - Parameter isComputed: whether the case has all that it takes to compute the outputs.
  /// - Throws: `InvalidValue` where a required output is missing, or there is none at all.
  mutating func takeReference(
    _ manifest: Manifest, isComputed: Bool
  ) throws(InvalidValue) -> Results {
    var reference = Results()
    for module in manifest.modules {
      for result in manifest.outputs ?? module.results {
        let name = Results.name(result, of: module.name)
        reference[name] = take("outputs/" + name)
      }
    }
    if manifest.isSingleModule {
      try requireResults(of: manifest.modules[0], manifest, isComputed, in: reference)
    }
    guard reference["output"] == nil, !manifest.isSingleModule else { return reference }
    reference["output"] =
      isComputed ? try takeRequired("outputs/output") : take("outputs/output")
    guard reference.named.isEmpty else { return reference }
    throw InvalidValue("outputs/output", expected: "a tensor", found: "none")
  }

  /// Takes `inputs/lengths`; nil where the sequences are not packed.
  ///
  /// - Parameter packed: what the manifest says of the packing.
  /// - Throws: `InvalidValue` where only one of the two is there, and for lengths that are no
  ///   positive integers.
  mutating func packing(_ packed: Manifest.Packed?) throws(InvalidValue) -> Packing? {
    let name = "inputs/lengths"
    let lengths = take(name)
    guard let packed else {
      guard lengths == nil else {
        throw InvalidValue(name, expected: "packed in the manifest", found: "none")
      }
      return nil
    }
    guard let lengths else {
      throw InvalidValue(name, expected: "a tensor, for packed", found: "none")
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

  /// - Throws: `InvalidValue` where a tensor is left.
  func requireEmpty() throws(InvalidValue) {
    guard let unused = tensors.min(by: { $0.key < $1.key }) else { return }
    throw InvalidValue(
      unused.key, expected: "no such tensor in this case", found: "one of \(unused.value.shape)")
  }

  private mutating func takeRequired(_ name: String) throws(InvalidValue) -> Tensor {
    guard let tensor = take(name) else {
      throw InvalidValue(name, expected: "a tensor", found: "none")
    }
    return tensor
  }

  /// Checks that a module by itself has all of its results, or those that its manifest lists.
  ///
  /// - Parameter reference: the results that are there.
  private func requireResults(
    of module: ChainArguments, _ manifest: Manifest, _ isComputed: Bool, in reference: Results
  ) throws(InvalidValue) {
    let missing = (manifest.outputs ?? module.results).first { reference[$0] == nil }
    guard let missing, case .recurrent(let arguments, _) = module.layer else { return }
    let kept = reference.names.map { "\"\($0)\"" }.joined(separator: ", ")
    // The layout alone can't be checked without h_n.
    let canDo = isComputed ? !kept.isEmpty : reference["h_n"] != nil
    throw InvalidValue(
      "outputs/" + missing, expected: "a tensor", found: "none",
      remedy: "nn.\(arguments.module.rawValue)'s \(missing) missing: save it too"
        + (canDo ? ", or say \"outputs\": [\(kept)] in the manifest if no more was kept" : ""))
  }
}

extension [String: Tensor] {
  /// Takes out all tensors whose names start with a prefix, and returns them by the rest of
  /// their names.
  mutating func takeAll(withPrefix prefix: String) -> [String: Tensor] {
    var taken: [String: Tensor] = [:]
    for name in keys where name.hasPrefix(prefix) {
      taken[String(name.dropFirst(prefix.count))] = removeValue(forKey: name)
    }
    return taken
  }
}
