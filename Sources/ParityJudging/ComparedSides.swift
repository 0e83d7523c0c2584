import TensorComparison
import TensorCore

/// Compares the three sides of a case: its reference, the subject, the oracle.
struct ComparedSides {
  /// What the case says that its reference was computed in.
  let reference: Arithmetic
  /// What the subject computed in, where that is another.
  let subject: Arithmetic?
  /// nil where no tensor is held to it.
  let noise: CaseNoise?

  /// Each pair of sides, of one tensor.
  func findings(
    _ name: String, _ rule: ToleranceRule, actual: Tensor, reference expected: Tensor,
    oracle: Tensor
  ) -> [TensorFinding] {
    let stored = Arithmetic(of: expected.elementType) ?? reference
    func finding(
      _ sides: TensorFinding.Sides, _ actual: Tensor, _ expected: Tensor
    ) -> TensorFinding {
      let own = stored.coarser(reference)
      let arithmetic = sides == .referenceAndOracle ? own : subject.map(own.coarser) ?? own
      let limits = limits(rule, sides, arithmetic) {
        noise?.limits(sides, name, exact: oracle, stored: stored)
      }
      return TensorFinding(
        sides: sides, name: name, arithmetic: arithmetic, rule: rule,
        difference: TensorDifference(of: actual, from: expected, within: limits),
        torchAgrees: TensorDifference(of: actual, from: expected, within: .torch(arithmetic))
          .agrees)
    }
    return [
      finding(.subjectAndReference, actual, expected),
      finding(.referenceAndOracle, expected, oracle),
      finding(.subjectAndOracle, actual, oracle),
    ]
  }

  private func limits(
    _ rule: ToleranceRule, _ sides: TensorFinding.Sides, _ arithmetic: Arithmetic,
    noise: () -> NoiseLimits?
  ) -> Limits {
    if case .noise(let largestZ, _) = rule, let noise = noise() {
      return .noise(noise.with(largestZ: largestZ))
    }
    guard let limits = rule.limits(for: arithmetic) else { return .bits }
    // The oracle does not round as the reference did, nor a subject that computes in
    // something else: they are held to no less than what torch allows for rounding,
    // however tight the case's own rule.
    let isOwn = sides == .subjectAndReference && subject == nil
    return isOwn ? limits : limits.loosened(to: .torch(arithmetic))
  }
}
