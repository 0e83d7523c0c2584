import RecurrentModel
import TensorCore

/// A bidirectional module with its two directions exchanged, which reads its sequences backwards
/// and so gives the original's output mirrored.
struct ModuleMirror {
  private let original: RecurrentCall
  private var configuration: RecurrentConfiguration { original.configuration }

  init(_ call: RecurrentCall) { original = call }

  /// The mirrored call. The forward and the reverse parameters of each layer are exchanged, and
  /// in layers after the first the halves of `weight_ih`'s columns too.
  func call() throws(InvalidValue) -> RecurrentCall {
    var tensors: [String: Tensor] = [:]
    for parameter in configuration.parameters {
      let (role, layer) = (parameter.role, parameter.layer)
      let other: Direction = parameter.direction == .forward ? .reverse : .forward
      guard let tensor = original.stateDict[role, layer, other] else { continue }
      tensors[parameter.name] =
        role == .weightIH && layer > 0 ? tensor.halvesExchanged : tensor
    }
    return original.with(
      stateDict: try StateDict(tensors, checkedAgainst: configuration), input: try input())
  }

  /// The mirrored input: each sequence is reversed within its length, and the initial states of
  /// the two directions are exchanged.
  private func input() throws(InvalidValue) -> RecurrentInput {
    let (input, rows) = (original.input, configuration.directionsExchanged)
    return try RecurrentInput(
      input: reversed(input.input, input.layout, features: configuration.inputSize),
      h0: input.h0?.takingBlocks(rows), c0: input.c0?.takingBlocks(rows), packing: input.packing,
      for: configuration)
  }

  /// The outputs that the mirrored module gives for the mirrored input, where these are what the
  /// original gives; and the other way round.
  func mirrored(_ outputs: RecurrentOutput) -> RecurrentOutput {
    let (layout, rows) = (original.input.outputLayout, configuration.directionsExchanged)
    return RecurrentOutput(
      output: outputs.output.map {
        reversed($0, layout, features: configuration.outputFeatures).halvesExchanged
      },
      hN: outputs.hN.takingBlocks(rows), cN: outputs.cN?.takingBlocks(rows))
  }

  /// A tensor of sequences, each of them reversed within its length.
  private func reversed(_ tensor: Tensor, _ layout: SequenceLayout, features: Int) -> Tensor {
    let starts = (0..<layout.batch * layout.steps).map { row in
      let (sequence, step) = layout.position(ofRow: row)
      let length = original.input.length(of: sequence)
      let source = step < length ? length - 1 - step : step
      return layout.row(sequence: sequence, step: source) * features
    }
    return tensor.gathering(blocksOf: features, at: starts, shape: tensor.shape)
  }
}
