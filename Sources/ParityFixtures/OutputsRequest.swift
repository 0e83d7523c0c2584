package import RecurrentModel
package import TensorCore

/// What somebody else's implementation is asked for.
package struct OutputsRequest: Sendable {
  package let location: CaseLocation
  /// The outputs' names, as in `outputs/`.
  package let required: [String]
  /// Of intermediate results, which are judged where they are given.
  package let optional: [String]
  /// Whether the case has what it takes to compute them.
  package let canBeComputed: Bool
  /// What the manifest leaves to the shapes, or to its defaults.
  let completed: [String: JSONValue]
}

extension OutputsRequest {
  /// - Throws: `InvalidValue` where a tensor is missing, of integers, or of another name.
  package func check(_ tensors: [String: Tensor]) throws(InvalidValue) {
    let list = required.joined(separator: ", ")
    for name in required where tensors[name]?.elementType.isFloatingPoint != true {
      throw InvalidValue(
        name, expected: "a tensor of floats, beside \(list)",
        found: tensors[name].map { "\($0.elementType) \($0.shape)" } ?? "none")
    }
    let known = required + optional
    if let stranger = tensors.keys.filter({ !known.contains($0) }).min() {
      throw InvalidValue(
        stranger, expected: "none but \(known.joined(separator: ", "))", found: "a tensor")
    }
  }
}

extension ParityCase {
  package var outputsRequest: OutputsRequest {
    var completed: [String: JSONValue] = [
      "arguments": .object(configuration.jsonArguments)
    ]
    if let call { completed["arithmetic"] = .string(call.arithmetic.rawValue) }
    if let packed = manifest.packed {
      completed["packed"] = .object([
        "enforce_sorted": .boolean(packed.enforceSorted),
        "total_length": packed.totalLength.map(JSONValue.integer) ?? .null,
      ])
    }
    return OutputsRequest(
      location: location, required: reference.named.map(\.name), optional: [],
      canBeComputed: call != nil, completed: completed)
  }
}

extension RecurrentConfiguration {
  /// All that the constructor takes, but for `dropout`.
  var jsonArguments: [String: JSONValue] {
    let arguments: [String: JSONValue] = [
      "input_size": .integer(inputSize), "hidden_size": .integer(hiddenSize),
      "num_layers": .integer(numLayers), "bias": .boolean(bias),
      "batch_first": .boolean(batchFirst), "bidirectional": .boolean(bidirectional),
      "proj_size": .integer(projSize), "nonlinearity": .string(nonlinearity.rawValue),
    ]
    let known = ModuleArguments.names(of: module)
    return arguments.filter { known.contains($0.key) }
  }
}

extension RecurrentOutput {
  /// - Returns: nil where there is no `h_n`.
  package init?(named tensors: [String: Tensor]) {
    guard let hN = tensors["h_n"] else { return nil }
    self.init(output: tensors["output"], hN: hN, cN: tensors["c_n"])
  }
}
