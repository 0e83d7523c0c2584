import RecurrentModel
import TensorComparison
import TensorCore

/// Makes the limits that each pair of sides of a case is held to, out of the case's rule and of
/// what the sides compute in.
struct ComparedSides {
  /// What the reference was computed in, as the case says.
  let reference: Arithmetic
  /// What the subject computed in, where that is another arithmetic; nil where it is the case's.
  let subject: Arithmetic?
  /// The rounding noise of the sides; nil where no result is held to the noise rule.
  let noise: CaseNoise?
  let chain: Chain

  /// The coarsest of what the two sides were computed in and of what the reference's tensor is
  /// stored in.
  ///
  /// - Parameter stored: the type of the reference's tensor.
  func arithmetic(_ sides: SidePair, _ stored: Arithmetic) -> Arithmetic {
    let own = stored.coarser(reference)
    return sides.isOfReference ? own : subject.map(own.coarser) ?? own
  }

  /// The limits of one result.
  ///
  /// - Parameters:
  ///   - sides: the two that are compared.
  ///   - rule: the result's rule.
  ///   - exact: the oracle's tensor.
  ///   - stored: the type of the reference's tensor.
  func limits(
    _ sides: SidePair, _ name: String, _ rule: ToleranceRule, exact: Tensor, stored: Arithmetic
  ) -> Limits {
    let arithmetic = arithmetic(sides, stored)
    if case .noise(let largestZ, _) = rule, let noise {
      var own = noise.limits(sides, name, exact: exact, stored: stored).with(largestZ: largestZ)
      // By itself an element may be as far off as beside the reference, whose σ is added there.
      if sides == SidePair(.outputs, against: .oracle) { own.elementSlack = 2.0.squareRoot() }
      own.largestUnjudged = chain.largestMagnitude(of: name)
      return .noise(own)
    }
    guard let limits = rule.limits(for: arithmetic) else { return .bits }
    // The oracle does not round as the reference did, and nor does a subject that computes in
    // another arithmetic. So these are allowed at least what torch.testing allows for rounding,
    // however tight the case's rule is.
    let isOwn = sides.isVerdict && subject == nil
    return isOwn ? limits : limits.loosened(to: .torch(arithmetic))
  }
}
