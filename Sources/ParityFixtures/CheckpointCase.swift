import JSON
package import RecurrentModel
package import TensorCore

/// What a checkpoint's module is run on.
package struct CheckpointInput: Sendable {
  /// (T, B, I), (B, T, I) with `batchFirst`, or (T, I); for a cell (B, I) or (I).
  package var input: Tensor
  /// As PyTorch takes them: (D·L, B, P) and (D·L, B, H).
  package var h0: Tensor?
  package var c0: Tensor?
  /// One length for each sequence of a packed batch, int64 or int32; nil for none.
  package var lengths: Tensor?
  package var batchFirst = false
  package var nonlinearity = Nonlinearity.tanh

  package init(input: Tensor) { self.input = input }
}

extension ParityCase {
  /// A case that a checkpoint's module makes with an input, without PyTorch: its reference is what
  /// the oracle computes in float64, rounded to the input's type.
  ///
  /// The module computes in the input's type. Parameters of a narrower one, as in a checkpoint
  /// that was saved in half precision, are widened, which changes none of their numbers.
  ///
  /// - Parameter location: what the case is called in a report.
  /// - Throws: `CaseError`, naming the tensor, where the parameters can't be read or the input does
  ///   not fit the module.
  /// - Complexity: O(1 forward pass in float64).
  package init(
    _ location: CaseLocation, _ checkpoint: Checkpoint, _ input: CheckpointInput
  ) throws(CaseError) {
    let parameters = try checkpoint.stateDict()
    do throws(InvalidValue) {
      let configuration = try checkpoint.module.configuration.with(
        batchFirst: input.batchFirst, nonlinearity: input.nonlinearity)
      let call = try input.call(configuration, parameters)
      let chain = Chain(call)
      let reference = Results(call.oracleOutputs)
      self.init(
        location: location,
        manifest: try Manifest(of: configuration, isPacked: input.lengths != nil),
        reference: Results(
          reference.named.map { ($0, $1.rounded(to: call.arithmetic.storage)) }),
        layouts: chain.layouts, chain: chain)
    } catch {
      throw .invalid(path: checkpoint.path, error)
    }
  }
}

extension CheckpointInput {
  fileprivate func call(
    _ configuration: RecurrentConfiguration, _ parameters: StateDict
  ) throws(InvalidValue) -> RecurrentCall {
    let type = input.elementType
    guard let arithmetic = Arithmetic(of: type), parameters.elementType.fits(in: type) else {
      throw InvalidValue(
        "inputs/input", expected: "\(parameters.elementType), as the parameters, or a wider type",
        found: "\(type)")
    }
    func rounded(_ tensor: Tensor) -> Tensor { tensor.rounded(for: arithmetic) }
    let stateDict = try StateDict(
      parameters.tensors.mapValues(rounded), checkedAgainst: configuration)
    return RecurrentCall(
      configuration, stateDict,
      try RecurrentInput(
        input: rounded(input), h0: h0.map(rounded), c0: c0.map(rounded), packing: try packing(),
        for: configuration),
      in: arithmetic)
  }

  private func packing() throws(InvalidValue) -> Packing? {
    guard let lengths else { return nil }
    var parts = FixtureParts(["inputs/lengths": lengths])
    return try parts.packing(Manifest.Packed(enforceSorted: false, totalLength: nil))
  }
}

extension ElementType {
  /// Whether every number of this type is one of the other's.
  fileprivate func fits(in other: ElementType) -> Bool {
    self == other || byteCount < other.byteCount && isFloatingPoint
  }
}

extension Manifest {
  /// What a fixture of this module states.
  fileprivate init(
    of configuration: RecurrentConfiguration, isPacked: Bool
  ) throws(InvalidValue) {
    var values: [String: JSONValue] = [
      "format": .string(Self.format), "module": .string(configuration.module.rawValue),
      "arguments": .object(configuration.jsonArguments),
    ]
    if isPacked { values["packed"] = .object([:]) }
    try self.init(.object(values))
  }
}
