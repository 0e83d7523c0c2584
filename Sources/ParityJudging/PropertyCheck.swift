import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// Checks all properties of one recurrent module's forward pass.
///
/// A large module is run once more for it, on the first steps of some sequences: whether a property
/// holds shows there too.
///
/// - Complexity: O(5 forward passes) for `findings`, and 17 more, of the first steps, where a large
///   module is judged by its rounding noise.
struct PropertyCheck {
  /// The module as the subject ran it on the case's own input, or on part of it.
  private let run: ModuleRun
  /// The rounding noise of that run; nil where the case's rule needs none.
  private let noise: CaseNoise?
  /// The name that the module has in `noise`.
  private let noiseModule: String
  /// Whether what the module is given has no rounding error. Otherwise the noise of its results
  /// holds that of the modules before, which two runs of this module alone do not differ by.
  private let isInputExact: Bool
  /// Makes a forward pass of other parameters.
  private let makePass: @Sendable (RecurrentCall) -> any ForwardPass

  /// - Parameters:
  ///   - run: the module as the subject ran it on the case's own input.
  ///   - noise: that of the case.
  init(
    _ run: ModuleRun, noise: CaseNoise?, isInputExact: Bool,
    makePass: @escaping @Sendable (RecurrentCall) -> any ForwardPass
  ) {
    (self.isInputExact, self.makePass) = (isInputExact, makePass)
    guard run.call.isLarge else {
      (self.run, self.noise, noiseModule) = (run, noise, run.module)
      return
    }
    let part = run.call.beginning(work: 1e8, sequences: 8)
    self.run = ModuleRun(
      module: run.module, call: part, pass: run.pass, outputs: run.pass.outputs(for: part.input))
    noiseModule = ""
    self.noise =
      noise != nil && part.configuration.bidirectional && isInputExact
      ? try? CaseNoise(ChainVariant(Chain(part))) : nil
  }

  private var call: RecurrentCall { run.call }
  private var outputs: RecurrentOutput { run.outputs }

  var findings: [PropertyFinding] {
    Property.allCases.map { property in
      // All inputs below are built out of checked ones. One that is refused would be a bug of
      // this file, and no finding.
      guard let differences = try? differences(property) else {
        preconditionFailure("\(property) built an input that does not fit the module")
      }
      return PropertyFinding(
        property: property, module: run.module, differences: differences)
    }
  }

  private typealias Differences = [(name: String, difference: TensorDifference)]

  private func differences(_ property: Property) throws(InvalidValue) -> Differences {
    switch property {
    case .absentStateIsZero: try absentState()
    case .sequencesAreIndependent: independence()
    case .runsCanBeSplit: split()
    case .directionsMirror: try mirror()
    }
  }

  private func absentState() throws(InvalidValue) -> Differences {
    let (input, configuration) = (call.input, call.configuration)
    func zeros(_ features: Int) -> Tensor {
      let shape = Shape(
        input.layout.stateAxes(rows: configuration.stateRows, features: features))
      return Tensor([Double](repeating: 0, count: shape.elementCount), shape: shape)
        .rounded(to: call.arithmetic.computation)
    }
    let absent = try RecurrentInput(
      input: input.input, packing: input.packing, for: configuration)
    let zero = try RecurrentInput(
      input: input.input, h0: zeros(configuration.outputSize),
      c0: configuration.module.recurrence.hasCellState ? zeros(configuration.hiddenSize) : nil,
      packing: input.packing, for: configuration)
    return compare(run.pass.outputs(for: absent), run.pass.outputs(for: zero), .bits)
  }

  /// Each sequence alone beside the same among the others; of those that differ the last is
  /// reported.
  private func independence() -> Differences {
    let input = call.input
    guard input.layout.batch > 1 else { return [] }
    var found: Differences = []
    for sequence in 0..<input.layout.batch {
      let alone = run.pass.outputs(for: input.selecting(sequences: [sequence]))
      let among = outputs.selecting(sequences: [sequence], input.outputLayout)
      let differences = compare(alone, among, .bits)
      if found.isEmpty || !differences.allSatisfy(\.difference.agrees) { found = differences }
    }
    return found
  }

  private func split() -> Differences {
    let (input, steps) = (call.input, call.input.layout.steps)
    guard !call.configuration.bidirectional, input.packing == nil, steps > 1 else { return [] }
    let parts = [0..<steps / 2, steps / 2..<steps]
    let first = run.pass.outputs(for: input.selecting(steps: parts[0], from: nil))
    let second = run.pass.outputs(for: input.selecting(steps: parts[1], from: first))
    let halves = zip([first, second], parts).compactMap { half, part in
      half.output.flatMap { own in
        outputs.output.map { whole in
          let expected = input.layout.selecting(steps: part, of: whole)
          return ("output", TensorDifference(of: own, from: expected, within: .bits))
        }
      }
    }
    return halves + compare(second.with(output: nil), outputs.with(output: nil), .bits)
  }

  private func mirror() throws(InvalidValue) -> Differences {
    guard call.configuration.bidirectional, isInputExact else { return [] }
    let mirror = ModuleMirror(call)
    let mirroredCall = try mirror.call()
    // Mirrored back, so that each element stands where its σ does.
    let mirrored = mirror.mirrored(
      makePass(mirroredCall).outputs(for: mirroredCall.input))
    // In layers after the first, the terms of the two directions are summed in another order, so
    // the bits may differ.
    let computed = Arithmetic(of: call.arithmetic.computation) ?? call.arithmetic
    return zip(mirrored.named, outputs.named).map { actual, expected in
      let limits = noise?.limitsOfTwoRuns(
        Results.name(actual.name, of: noiseModule), count: actual.tensor.count)
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
