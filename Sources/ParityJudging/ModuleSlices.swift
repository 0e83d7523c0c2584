import ParityFixtures
import RecurrentModel
import TensorCore

/// Parts of a case's input and of its outputs: one sequence, or some steps.
struct ModuleSlices {
  private let model: ParityCase.Model
  private var input: RecurrentInput { model.input }
  private var configuration: RecurrentConfiguration { model.configuration }

  init(_ model: ParityCase.Model) { self.model = model }

  /// The input of one sequence of the batch, alone.
  func input(sequence: Int) throws(InvalidValue) -> RecurrentInput {
    let length = input.length(of: sequence)
    return try RecurrentInput(
      input: steps(
        of: input.input, input.layout, configuration.inputSize, sequences: sequence..<sequence + 1,
        0..<length),
      h0: input.h0.map { state($0, sequence: sequence) },
      c0: input.c0.map { state($0, sequence: sequence) },
      packing: input.packing.map { _ in Packing(lengths: [length]) }, for: configuration)
  }

  /// What the whole batch's outputs say of one sequence, without its padding.
  func output(_ outputs: RecurrentOutput, sequence: Int) -> RecurrentOutput {
    RecurrentOutput(
      output: outputs.output.map {
        steps(
          of: $0, input.outputLayout, configuration.outputFeatures,
          sequences: sequence..<sequence + 1, 0..<input.length(of: sequence))
      },
      hN: state(outputs.hN, sequence: sequence),
      cN: outputs.cN.map { state($0, sequence: sequence) })
  }

  /// The input of some steps of all sequences.
  ///
  /// - Parameter previous: what the steps before gave; nil for the first ones.
  func input(
    steps range: Range<Int>, from previous: RecurrentOutput?
  ) throws(InvalidValue) -> RecurrentInput {
    try RecurrentInput(
      input: steps(
        of: input.input, input.layout, configuration.inputSize,
        sequences: 0..<input.layout.batch, range),
      h0: previous?.hN ?? input.h0, c0: previous == nil ? input.c0 : previous?.cN,
      for: configuration)
  }

  /// An output before and from the step at which a run is split.
  func parts(of whole: Tensor) -> (early: Tensor, late: Tensor) {
    func part(_ range: Range<Int>) -> Tensor {
      steps(
        of: whole, input.layout, configuration.outputFeatures,
        sequences: 0..<input.layout.batch, range)
    }
    return (part(0..<middle), part(middle..<input.layout.steps))
  }

  /// Where a run is split.
  var middle: Int { input.layout.steps / 2 }

  private func steps(
    of tensor: Tensor, _ layout: SequenceLayout, _ features: Int, sequences: Range<Int>,
    _ steps: Range<Int>
  ) -> Tensor {
    let part = layout.with(steps: steps.count, batch: sequences.count)
    let shape = Shape(part.axes(features: features))
    let starts = (0..<sequences.count * steps.count).map { row in
      let (sequence, step) = part.position(ofRow: row)
      return layout.row(sequence: sequences.lowerBound + sequence, step: steps.lowerBound + step)
        * features
    }
    return tensor.gathering(blocksOf: features, at: starts, shape: shape)
  }

  private func state(_ tensor: Tensor, sequence: Int) -> Tensor {
    let batch = input.layout.batch
    let features = tensor.shape.axes[tensor.shape.rank - 1]
    let starts = (0..<configuration.stateRows).map { ($0 * batch + sequence) * features }
    let axes = input.layout.with(steps: input.layout.steps, batch: 1)
      .stateAxes(rows: configuration.stateRows, features: features)
    return tensor.gathering(blocksOf: features, at: starts, shape: Shape(axes))
  }
}
