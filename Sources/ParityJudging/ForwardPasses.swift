import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

/// The three sides of a case: its reference, what the subject made of the same
/// inputs, and the oracle's results.
struct ForwardPasses {
  let parityCase: ParityCase
  let call: RecurrentCall
  /// The subject, ready to run on other inputs; nil where only its results are known.
  let subject: (any ForwardPass)?
  let actual: RecurrentOutput
  let oracle: RecurrentOutput
  /// What the subject computed in, where that is not what the case asks for.
  let arithmetic: Arithmetic?

  init(_ parityCase: ParityCase, _ call: RecurrentCall, _ subject: Judge.Subject) {
    let subject = subject(call)
    self.init(parityCase, call, subject, actual: subject.outputs(for: call.input))
  }

  /// - Parameters:
  ///   - actual: what somebody else made of the case.
  ///   - arithmetic: what it was computed in; nil for what the case asks for.
  init(
    _ parityCase: ParityCase, _ call: RecurrentCall, actual: RecurrentOutput,
    in arithmetic: Arithmetic? = nil
  ) {
    self.init(parityCase, call, nil, actual: actual, in: arithmetic)
  }

  private init(
    _ parityCase: ParityCase, _ call: RecurrentCall, _ subject: (any ForwardPass)?,
    actual: RecurrentOutput, oracle: RecurrentOutput? = nil, in arithmetic: Arithmetic? = nil
  ) {
    self.arithmetic = arithmetic
    self.parityCase = parityCase
    self.call = call
    self.subject = subject
    self.actual = actual
    self.oracle =
      oracle ?? call.oracleOutputs
  }

  /// What is wrong where the subject's outputs are not of the reference's shapes.
  var shapeMismatch: String? {
    actual.shapeMismatch(with: parityCase.reference, of: subject == nil ? .outputs : .engine)
  }

  func failure(of side: Failure.Side) -> Failure {
    Failure(
      call: call, side: side, outputs: side == .reference ? parityCase.reference : actual,
      oracle: oracle)
  }

  /// How many replicas measure the rounding noise; nil where no tensor is held to it.
  func replicas(_ override: ToleranceRule?) -> Int? {
    rules(override).compactMap {
      if case .noise(_, let replicas) = $0 { replicas } else { nil }
    }.max()
  }

  /// Each pair of sides, tensor by tensor.
  ///
  /// - Parameter override: in place of the case's own rules.
  func comparisons(_ override: ToleranceRule?, _ noise: CaseNoise?) -> [TensorFinding] {
    let sides = ComparedSides(reference: call.arithmetic, subject: arithmetic, noise: noise)
    return zip(rules(override), parityCase.reference.named).enumerated().flatMap {
      index, expected in
      sides.findings(
        expected.1.name, expected.0, actual: actual.named[index].tensor,
        reference: expected.1.tensor, oracle: oracle.named[index].tensor)
    }
  }

  /// One pair of sides under the case's own rules.
  static func comparisons(
    _ parityCase: ParityCase, _ call: RecurrentCall, _ actual: RecurrentOutput,
    against oracle: RecurrentOutput, sides: TensorFinding.Sides, _ noise: CaseNoise?
  ) -> [TensorDifference] {
    ForwardPasses(parityCase, call, nil, actual: actual, oracle: oracle)
      .comparisons(nil, noise).filter { $0.sides == sides }.map(\.difference)
  }

  private func rules(_ override: ToleranceRule?) -> [ToleranceRule] {
    parityCase.reference.named.map {
      override ?? parityCase.manifest.tolerance.rule(for: $0.name)
    }
  }
}

extension RecurrentOutput {
  /// What to tell where a tensor has another shape than the reference's.
  func shapeMismatch(with reference: RecurrentOutput, of side: Failure.Side) -> String? {
    zip(reference.named, named).lazy.compactMap { expected, found in
      ShapeMismatch(expected.name, found: found.tensor, expected: expected.tensor)?.text(side)
    }.first
  }
}
