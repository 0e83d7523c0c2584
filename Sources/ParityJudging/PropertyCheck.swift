import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

/// Checks all properties of one forward pass. O(5 forward passes).
struct PropertyCheck {
  let model: ParityCase.Model
  let subject: any ForwardPass
  /// What the subject gave for the case's own input.
  let outputs: RecurrentOutput
  let contract: LayoutContract
  /// nil where the case is held to a rule that needs none.
  let noise: CaseNoise?
  /// Makes one of other parameters.
  let makeSubject: Judge.Subject

  var findings: [PropertyFinding] {
    Property.allCases.map { property in
      // All inputs below are built out of checked ones: one that is refused is
      // a mistake of this file, and no finding.
      guard let differences = try? differences(property) else {
        preconditionFailure("\(property) built an input that does not fit the module")
      }
      return PropertyFinding(property: property, differences: differences)
    }
  }

  private typealias Differences = [(name: String, difference: TensorDifference)]

  private func differences(_ property: Property) throws(InvalidValue) -> Differences {
    switch property {
    case .absentStateIsZero: try absentState()
    case .sequencesAreIndependent: try independence()
    case .runsCanBeSplit: try split()
    case .directionsMirror: try mirror()
    }
  }

  private func absentState() throws(InvalidValue) -> Differences {
    let input = model.input
    let (rows, c) = (model.configuration.stateRows, model.configuration.hiddenSize)
    func zeros(_ features: Int) -> Tensor {
      let shape = Shape(input.layout.stateAxes(rows: rows, features: features))
      return Tensor([Double](repeating: 0, count: shape.elementCount), shape: shape)
        .rounded(to: model.arithmetic.computation)
    }
    let absent = try RecurrentInput(
      input: input.input, packing: input.packing, for: model.configuration)
    let zero = try RecurrentInput(
      input: input.input, h0: zeros(model.configuration.outputSize),
      c0: model.configuration.module.recurrence.hasCellState ? zeros(c) : nil,
      packing: input.packing,
      for: model.configuration)
    return compare(subject.outputs(for: absent), subject.outputs(for: zero), .bits)
  }

  private func independence() throws(InvalidValue) -> Differences {
    guard model.input.layout.batch > 1 else { return [] }
    var worst: Differences = []
    for sequence in 0..<model.input.layout.batch {
      let slices = ModuleSlices(model)
      let alone = subject.outputs(for: try slices.input(sequence: sequence))
      let differences = compare(
        alone, slices.output(outputs, sequence: sequence), .bits)
      if worst.isEmpty || !differences.allSatisfy(\.difference.agrees) { worst = differences }
    }
    return worst
  }

  private func split() throws(InvalidValue) -> Differences {
    let steps = model.input.layout.steps
    guard !model.configuration.bidirectional, model.input.packing == nil, steps > 1 else {
      return []
    }
    let slices = ModuleSlices(model)
    let first = subject.outputs(for: try slices.input(steps: 0..<slices.middle, from: nil))
    let second = subject.outputs(for: try slices.input(steps: slices.middle..<steps, from: first))
    guard let early = first.output, let late = second.output, let whole = outputs.output else {
      return []
    }
    let parts = slices.parts(of: whole)
    let states = RecurrentOutput(output: nil, hN: outputs.hN, cN: outputs.cN)
    return [
      ("output", TensorDifference(of: early, from: parts.early, within: .bits)),
      ("output", TensorDifference(of: late, from: parts.late, within: .bits)),
    ] + compare(RecurrentOutput(output: nil, hN: second.hN, cN: second.cN), states, .bits)
  }

  private func mirror() throws(InvalidValue) -> Differences {
    guard model.configuration.bidirectional else { return [] }
    let mirror = ModuleMirror(model)
    let model = try mirror.model()
    let subject = makeSubject(model.configuration, model.stateDict, model.arithmetic)
    // Mirrored back, element by element where the σ stand.
    let mirrored = mirror.mirrored(subject.outputs(for: try mirror.input()))
    // The directions' terms meet in another order in layers after the first.
    let computed = Arithmetic(of: model.arithmetic.computation) ?? model.arithmetic
    return zip(mirrored.named, outputs.named).map { actual, expected in
      let limits = noise?.limitsOfTwoRuns(actual.name, count: actual.tensor.count)
      return (
        actual.name,
        TensorDifference(
          of: actual.tensor, from: expected.tensor, within: limits ?? .torch(computed))
      )
    }
  }

  private func compare(
    _ actual: RecurrentOutput, _ expected: RecurrentOutput, _ limits: Limits
  ) -> Differences {
    zip(actual.named, expected.named).map { actual, expected in
      (
        actual.name,
        TensorDifference(of: actual.tensor, from: expected.tensor, within: limits)
      )
    }
  }
}
