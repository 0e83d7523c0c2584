/// The arguments that a manifest gives for a module's constructor. An argument is nil where the
/// manifest leaves it to the shapes of the parameters, or to PyTorch's default.
///
/// ```swift
/// var arguments = ModuleArguments(module: .lstm)
/// arguments.batchFirst = true
/// let configuration = try arguments.configuration(
///   with: InferredArguments(parameters: shapes, input: nil, outputs: [:]))
/// ```
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

  /// The names of the arguments that the constructor of a module takes and that a manifest may
  /// state: those that change what the module computes, and `dropout`, which does nothing in
  /// `eval()`.
  package static func names(of module: RecurrentModule) -> [String] {
    var names = ["input_size", "hidden_size", "bias"]
    if !module.isCell {
      names += ["num_layers", "batch_first", "dropout", "bidirectional"]
      if module == .lstm { names.append("proj_size") }
    }
    if module.recurrence == .rnn { names.append("nonlinearity") }
    return names
  }

  /// The configuration that these arguments make together with what the shapes tell.
  ///
  /// - Throws: `InvalidValue` where an argument contradicts a shape, where neither an argument
  ///   nor a shape tells a size that PyTorch has no default for, and for what the constructor of
  ///   the module refuses.
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

  /// The value of an argument that PyTorch has no default for.
  private func required(
    _ name: String, _ given: Int?, _ inferred: Inferred<Int>?
  ) throws(InvalidValue) -> Int {
    guard let value = try agreed(name, given, inferred) else {
      throw InvalidValue(
        "arguments." + name, expected: "an integer", found: "none, and no shape tells it")
    }
    return value
  }

  /// The value that the manifest states or the shapes tell, which must be the same where both do;
  /// nil where neither does.
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
  /// The tensor, for people to look at: `state_dict/weight_hh_l0 (24, 6)`.
  package let source: String
}
