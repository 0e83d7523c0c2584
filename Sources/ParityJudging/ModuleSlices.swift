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

  /// Two outputs, one after the other in time.
  func join(_ first: Tensor, _ second: Tensor) -> Tensor {
    let features = configuration.outputFeatures
    let firstSteps = input.layout.steps / 2
    let both = Tensor(
      first.elements(as: Double.self) + second.elements(as: Double.self),
      shape: [first.count + second.count]
    ).rounded(to: first.elementType)
    let (early, late) = (
      input.layout.with(steps: firstSteps),
      input.layout.with(steps: input.layout.steps - firstSteps)
    )
    let shape = Shape(input.layout.axes(features: features))
    let offsets = (0..<shape.elementCount / features).flatMap { row in
      let (sequence, step) = input.layout.position(ofRow: row)
      let start =
        step < firstSteps
        ? early.row(sequence: sequence, step: step) * features
        : first.count + late.row(sequence: sequence, step: step - firstSteps) * features
      return start..<start + features
    }
    return both.gathering(offsets, shape: shape)
  }

  private func steps(
    of tensor: Tensor, _ layout: SequenceLayout, _ features: Int, sequences: Range<Int>,
    _ steps: Range<Int>
  ) -> Tensor {
    let part = layout.with(steps: steps.count, batch: sequences.count)
    let shape = Shape(part.axes(features: features))
    let offsets = (0..<sequences.count * steps.count).flatMap { row in
      let (sequence, step) = part.position(ofRow: row)
      let start =
        layout.row(sequence: sequences.lowerBound + sequence, step: steps.lowerBound + step)
        * features
      return start..<start + features
    }
    return tensor.gathering(offsets, shape: shape)
  }

  private func state(_ tensor: Tensor, sequence: Int) -> Tensor {
    let batch = input.layout.batch
    let features = tensor.shape.axes[tensor.shape.rank - 1]
    let offsets = (0..<configuration.stateRows).flatMap { row in
      let start = (row * batch + sequence) * features
      return start..<start + features
    }
    let axes = input.layout.with(steps: input.layout.steps, batch: 1)
      .stateAxes(rows: configuration.stateRows, features: features)
    return tensor.gathering(offsets, shape: Shape(axes))
  }
}
