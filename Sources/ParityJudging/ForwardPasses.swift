import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

/// The three sides of a case: its reference, what the subject made of the same
/// inputs, and the oracle's results.
struct ForwardPasses {
  let parityCase: ParityCase
  let model: ParityCase.Model
  /// The subject, ready to run on other inputs; nil where only its results are known.
  let subject: (any ForwardPass)?
  let actual: RecurrentOutput
  let oracle: RecurrentOutput
  /// What the subject computed in, where that is not what the case asks for.
  let arithmetic: Arithmetic?

  init(_ parityCase: ParityCase, _ model: ParityCase.Model, _ subject: Judge.Subject) {
    let subject = subject(model)
    self.init(parityCase, model, subject, actual: subject.outputs(for: model.input))
  }

  /// - Parameters:
  ///   - actual: what somebody else made of the case.
  ///   - arithmetic: what it was computed in; nil for what the case asks for.
  init(
    _ parityCase: ParityCase, _ model: ParityCase.Model, actual: RecurrentOutput,
    in arithmetic: Arithmetic? = nil
  ) {
    self.init(parityCase, model, nil, actual: actual, in: arithmetic)
  }

  private init(
    _ parityCase: ParityCase, _ model: ParityCase.Model, _ subject: (any ForwardPass)?,
    actual: RecurrentOutput, oracle: RecurrentOutput? = nil, in arithmetic: Arithmetic? = nil
  ) {
    self.arithmetic = arithmetic
    self.parityCase = parityCase
    self.model = model
    self.subject = subject
    self.actual = actual
    self.oracle =
      oracle ?? Oracle(model.configuration, model.stateDict).outputs(for: model.input)
  }

  /// What is wrong where the subject's outputs are not of the reference's shapes.
  var shapeMismatch: String? {
    actual.shapeMismatch(with: parityCase.reference, of: subject == nil ? .outputs : .engine)
  }

  func failure(of side: Failure.Side) -> Failure {
    Failure(
      parityCase: parityCase, model: model, side: side,
      outputs: side == .reference ? parityCase.reference : actual, oracle: oracle)
  }

  /// The coarser of this and what the subject computed in.
  func coarser(_ own: Arithmetic) -> Arithmetic { arithmetic.map(own.coarser) ?? own }

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
    let rules = rules(override)
    var findings: [TensorFinding] = []
    for (index, (name, expected)) in parityCase.reference.named.enumerated() {
      let (ours, exact) = (actual.named[index].tensor, oracle.named[index].tensor)
      let stored = Arithmetic(of: expected.elementType) ?? model.arithmetic
      func compare(_ sides: TensorFinding.Sides, _ actual: Tensor, _ expected: Tensor) {
        let own = stored.coarser(model.arithmetic)
        let arithmetic = sides == .referenceAndOracle ? own : coarser(own)
        let limits = limits(rules[index], sides, arithmetic) {
          noise?.limits(sides, name, exact: exact, stored: stored)
        }
        findings.append(
          TensorFinding(
            sides: sides, name: name, arithmetic: arithmetic, rule: rules[index],
            difference: TensorDifference(of: actual, from: expected, within: limits),
            torchAgrees: TensorDifference(of: actual, from: expected, within: .torch(arithmetic))
              .agrees))
      }
      compare(.subjectAndReference, ours, expected)
      compare(.referenceAndOracle, expected, exact)
      compare(.subjectAndOracle, ours, exact)
    }
    return findings
  }

  /// One pair of sides under the case's own rules.
  static func comparisons(
    _ parityCase: ParityCase, _ model: ParityCase.Model, _ actual: RecurrentOutput,
    against oracle: RecurrentOutput, sides: TensorFinding.Sides, _ noise: CaseNoise?
  ) -> [TensorDifference] {
    ForwardPasses(parityCase, model, nil, actual: actual, oracle: oracle)
      .comparisons(nil, noise).filter { $0.sides == sides }.map(\.difference)
  }

  private func rules(_ override: ToleranceRule?) -> [ToleranceRule] {
    parityCase.reference.named.map {
      override ?? parityCase.manifest.tolerance.rule(for: $0.name)
    }
  }

  private func limits(
    _ rule: ToleranceRule, _ sides: TensorFinding.Sides, _ arithmetic: Arithmetic,
    noise: () -> NoiseLimits?
  ) -> Limits {
    if case .noise(let largestZ, _) = rule, let noise = noise() {
      return .noise(noise.with(largestZ: largestZ))
    }
    guard let limits = rule.limits(for: arithmetic) else { return .bits }
    // The oracle does not round as the reference did: it is held to no less than
    // what torch allows for rounding, however tight the case's own rule.
    return sides == .subjectAndReference ? limits : limits.loosened(to: .torch(arithmetic))
  }
}

extension RecurrentOutput {
  /// What to tell where a tensor has another shape than the reference's.
  func shapeMismatch(with reference: RecurrentOutput, of side: Failure.Side) -> String? {
    zip(reference.named, named).lazy.compactMap { expected, found in
      found.tensor.shape == expected.tensor.shape
        ? nil
        : "\(expected.name): expected the shape \(expected.tensor.shape), found "
          + "\(found.tensor.shape) from the \(side.rawValue)"
    }.first
  }
}
