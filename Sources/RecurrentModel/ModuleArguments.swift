/// The arguments that a manifest gives for a module's constructor; nil where it
/// leaves one to the shapes, or to PyTorch's default.
package struct ModuleArguments: Sendable, Equatable {
  package var module: RecurrentModule
  package var inputSize: Int?
  package var hiddenSize: Int?
  package var numLayers: Int?
  package var bias: Bool?
  package var batchFirst: Bool?
  package var bidirectional: Bool?
  package var projSize: Int?
  package var nonlinearity: Nonlinearity?

  package init(module: RecurrentModule) { self.module = module }

  /// The names of the constructor's arguments that a reference depends on, and
  /// `dropout`, which does nothing in `eval()`.
  package static func names(of module: RecurrentModule) -> [String] {
    var names = ["input_size", "hidden_size", "bias"]
    if !module.isCell {
      names += ["num_layers", "batch_first", "dropout", "bidirectional"]
      if module == .lstm { names.append("proj_size") }
    }
    if module.recurrence == .rnn { names.append("nonlinearity") }
    return names
  }

  /// The configuration that these arguments make together with what the shapes
  /// tell.
  ///
  /// - Throws: `InvalidValue` where an argument contradicts a shape, where
  ///   nothing tells one that PyTorch has no default for, and for what the
  ///   constructor refuses.
  package func configuration(
    with inferred: InferredArguments
  ) throws(InvalidValue) -> RecurrentConfiguration {
    if let other = inferred.module, other.value != module {
      throw InvalidValue(
        "module", expected: "\(other.value.rawValue), as \(other.source) tells",
        found: module.rawValue)
    }
    return try RecurrentConfiguration(
      module: module,
      inputSize: try required("input_size", inputSize, inferred.inputSize),
      hiddenSize: try required("hidden_size", hiddenSize, inferred.hiddenSize),
      numLayers: numLayers ?? inferred.numLayers ?? 1, bias: bias ?? inferred.bias ?? true,
      batchFirst: batchFirst ?? false,
      bidirectional: bidirectional ?? inferred.bidirectional ?? false,
      projSize: try agreed("proj_size", projSize, inferred.projSize) ?? 0,
      nonlinearity: nonlinearity ?? .tanh)
  }

  private func required(
    _ name: String, _ given: Int?, _ inferred: Inferred<Int>?
  ) throws(InvalidValue) -> Int {
    guard let value = try agreed(name, given, inferred) else {
      throw InvalidValue(
        "arguments." + name, expected: "an integer", found: "none, and no shape tells it")
    }
    return value
  }

  private func agreed(
    _ name: String, _ given: Int?, _ inferred: Inferred<Int>?
  ) throws(InvalidValue) -> Int? {
    if let given, let inferred, given != inferred.value {
      throw InvalidValue(
        "arguments." + name, expected: "\(inferred.value), as \(inferred.source) tells",
        found: "\(given)")
    }
    return given ?? inferred?.value
  }
}

/// A value, and the tensor whose shape tells it.
package struct Inferred<Value: Sendable & Equatable>: Sendable, Equatable {
  package let value: Value
  /// As in `state_dict/weight_hh_l0 (24, 6)`.
  package let source: String
}
