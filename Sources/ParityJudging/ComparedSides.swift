import TensorComparison
import TensorCore

/// What the three sides of a case are held to in pairs.
struct ComparedSides {
  /// What the case says that its reference was computed in.
  let reference: Arithmetic
  /// What the subject computed in, where that is another.
  let subject: Arithmetic?
  /// nil where no tensor is held to it.
  let noise: CaseNoise?

  /// The coarser of what the two sides were computed and are stored in.
  ///
  /// - Parameter stored: the type of the reference's tensor.
  func arithmetic(_ sides: SidePair, _ stored: Arithmetic) -> Arithmetic {
    let own = stored.coarser(reference)
    return sides.isOfReference ? own : subject.map(own.coarser) ?? own
  }

  /// - Parameter exact: the oracle's tensor.
  func limits(
    _ sides: SidePair, _ name: String, _ rule: ToleranceRule, exact: Tensor, stored: Arithmetic
  ) -> Limits {
    let arithmetic = arithmetic(sides, stored)
    if case .noise(let largestZ, _) = rule, let noise {
      let own = noise.limits(sides, name, exact: exact, stored: stored)
      return .noise(own.with(largestZ: largestZ))
    }
    guard let limits = rule.limits(for: arithmetic) else { return .bits }
    // The oracle does not round as the reference did, nor a subject that computes in
    // something else: they are held to no less than what torch allows for rounding,
    // however tight the case's own rule.
    let isOwn = sides.isVerdict && subject == nil
    return isOwn ? limits : limits.loosened(to: .torch(arithmetic))
  }
}
