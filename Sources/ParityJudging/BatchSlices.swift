package import ParityFixtures
package import RecurrentModel
import TensorCore

/// Some sequences of a case's batch as a batch of their own, with as many steps.
package struct BatchSlices: Sendable {
  private let model: ParityCase.Model
  private let sequences: [Int]

  /// - Parameter sequences: ascending.
  package init(_ model: ParityCase.Model, sequences: [Int]) {
    self.model = model
    self.sequences = sequences
  }

  package var sliced: ParityCase.Model {
    let (input, configuration) = (model.input, model.configuration)
    let packing = input.packing.map { packing in
      Packing(
        lengths: sequences.map { packing.lengths[$0] }, totalLength: packing.outputSteps)
    }
    guard
      let slices = try? RecurrentInput(
        input: vectors(input.input, input.layout), h0: input.h0.map(state),
        c0: input.c0.map(state), packing: packing, for: configuration)
    else { preconditionFailure("part of a checked batch fits the module too") }
    return ParityCase.Model(
      configuration: configuration, stateDict: model.stateDict, input: slices,
      arithmetic: model.arithmetic)
  }

  /// - Parameter outputs: of the shapes that the module's have.
  package func sliced(_ outputs: RecurrentOutput) -> RecurrentOutput {
    RecurrentOutput(
      output: outputs.output.map { vectors($0, model.input.outputLayout) },
      hN: state(outputs.hN), cN: outputs.cN.map(state))
  }

  private func vectors(_ tensor: Tensor, _ layout: SequenceLayout) -> Tensor {
    let part = layout.with(steps: layout.steps, batch: sequences.count)
    let features = tensor.shape.axes[tensor.shape.rank - 1]
    let starts = (0..<sequences.count * layout.steps).map { row in
      let (sequence, step) = part.position(ofRow: row)
      return layout.row(sequence: sequences[sequence], step: step) * features
    }
    return tensor.gathering(
      blocksOf: features, at: starts, shape: Shape(part.axes(features: features)))
  }

  private func state(_ tensor: Tensor) -> Tensor {
    let (layout, rows) = (model.input.layout, model.configuration.stateRows)
    let features = tensor.shape.axes[tensor.shape.rank - 1]
    let starts = (0..<rows).flatMap { row in
      sequences.map { (row * layout.batch + $0) * features }
    }
    let axes = layout.with(steps: layout.steps, batch: sequences.count)
      .stateAxes(rows: rows, features: features)
    return tensor.gathering(blocksOf: features, at: starts, shape: Shape(axes))
  }
}
