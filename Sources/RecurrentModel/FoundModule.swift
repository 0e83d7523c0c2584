package import TensorCore

/// A recurrent module of PyTorch's that was found in a checkpoint by the names and shapes of its
/// parameters.
///
/// ```swift
/// let found = FoundModule.all(in: ["encoder.lstm.weight_ih_l0": [96, 16], …])
/// found[0].prefix                    // encoder.lstm.
/// found[0].configuration.hiddenSize  // 24
/// ```
///
/// Shapes do not tell `batch_first`, nor the nonlinearity of an RNN: these are PyTorch's defaults
/// here.
package struct FoundModule: Sendable, Equatable {
  /// What the names of its parameters start with: `encoder.lstm.`; empty where the checkpoint is
  /// the module's own `state_dict`.
  package let prefix: String
  package let configuration: RecurrentConfiguration

  /// The prefix without the dot or slash at its end; empty where there is no prefix.
  package var name: String { String(prefix.dropLast()) }

  /// The name that a parameter has in the checkpoint.
  package func qualified(_ parameter: String) -> String { prefix + parameter }

  /// All recurrent modules of a checkpoint, by prefix.
  ///
  /// A group of tensors is one where its names, behind a common prefix, and its shapes are exactly
  /// the parameters of some LSTM, GRU, RNN or cell. The rows of `weight_hh` over its columns tell
  /// which: 4, 3 or 1.
  ///
  /// - Parameter shapes: of all tensors of the checkpoint, by their names.
  /// - Complexity: O(n log n) of n tensors.
  package static func all(in shapes: [String: Shape]) -> [FoundModule] {
    var groups: [String: [String: Shape]] = [:]
    for (name, shape) in shapes {
      guard let parameter = RecurrentModule.parameterName(endOf: name) else { continue }
      groups[String(name.dropLast(parameter.count)), default: [:]][parameter] = shape
    }
    return groups.sorted { $0.key < $1.key }.compactMap { FoundModule($0, $1) }
  }

  private init?(_ prefix: String, _ shapes: [String: Shape]) {
    let inferred = InferredArguments(parameters: shapes, input: nil, outputs: [:])
    guard let module = inferred.module?.value,
      let configuration = try? ModuleArguments(module: module).configuration(with: inferred)
    else { return nil }
    let expected = configuration.parameters.map { ($0.name, $0.shape) }
    guard shapes == Dictionary(uniqueKeysWithValues: expected) else { return nil }
    self.init(prefix: prefix, configuration: configuration)
  }

  private init(prefix: String, configuration: RecurrentConfiguration) {
    self.prefix = prefix
    self.configuration = configuration
  }
}
