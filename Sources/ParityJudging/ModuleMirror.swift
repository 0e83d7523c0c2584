import ParityFixtures
import RecurrentModel
import TensorCore

/// A bidirectional module with its directions exchanged, its sequences read
/// backwards, and so its output mirrored.
struct ModuleMirror {
  private let original: ParityCase.Model
  private var configuration: RecurrentConfiguration { original.configuration }

  init(_ model: ParityCase.Model) { original = model }

  /// Forward and reverse parameters are swapped in every layer; in layers after
  /// the first, so are the halves of `weight_ih`'s columns.
  func model() throws(InvalidValue) -> ParityCase.Model {
    var tensors: [String: Tensor] = [:]
    for parameter in configuration.parameters {
      let (role, layer) = (parameter.role, parameter.layer)
      let other: Direction = parameter.direction == .forward ? .reverse : .forward
      guard let tensor = original.stateDict[role, layer, other] else { continue }
      tensors[parameter.name] =
        role == .weightIH && layer > 0 ? halvesSwapped(tensor) : tensor
    }
    return ParityCase.Model(
      configuration: configuration,
      stateDict: try StateDict(tensors, checkedAgainst: configuration), input: try input(),
      arithmetic: original.arithmetic)
  }

  /// Each sequence is reversed within its length; the directions' initial
  /// states are swapped.
  func input() throws(InvalidValue) -> RecurrentInput {
    let input = original.input
    return try RecurrentInput(
      input: reversed(input.input, input.layout, features: configuration.inputSize),
      h0: input.h0.map(rowsSwapped), c0: input.c0.map(rowsSwapped), packing: input.packing,
      for: configuration)
  }

  /// What the mirrored module gives for the mirrored input.
  func mirrored(_ outputs: RecurrentOutput) -> RecurrentOutput {
    let layout = original.input.outputLayout
    return RecurrentOutput(
      output: outputs.output.map {
        halvesSwapped(reversed($0, layout, features: configuration.outputFeatures))
      },
      hN: rowsSwapped(outputs.hN), cN: outputs.cN.map(rowsSwapped))
  }

  private func reversed(_ tensor: Tensor, _ layout: SequenceLayout, features: Int) -> Tensor {
    let starts = (0..<layout.batch * layout.steps).map { row in
      let (sequence, step) = layout.position(ofRow: row)
      let length = original.input.length(of: sequence)
      let source = step < length ? length - 1 - step : step
      return layout.row(sequence: sequence, step: source) * features
    }
    return tensor.gathering(blocksOf: features, at: starts, shape: tensor.shape)
  }

  /// The halves of the last axis exchanged.
  private func halvesSwapped(_ tensor: Tensor) -> Tensor {
    let features = tensor.shape.axes[tensor.shape.rank - 1]
    let half = features / 2
    guard half > 0 else { return tensor }
    let starts = (0..<tensor.count / half).map { ($0 ^ 1) * half }
    return tensor.gathering(blocksOf: half, at: starts, shape: tensor.shape)
  }

  /// Each layer's forward and reverse rows of a state exchanged.
  private func rowsSwapped(_ state: Tensor) -> Tensor {
    let size = state.count / configuration.stateRows
    let starts = (0..<configuration.stateRows).map { ($0 ^ 1) * size }
    return state.gathering(blocksOf: size, at: starts, shape: state.shape)
  }
}
