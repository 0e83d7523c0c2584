import ParityFixtures
package import ParityJudging
import RecurrentModel
import TensorCore

/// Says why a case failed.
package struct Diagnostician: Sendable {
  /// How long to look.
  package enum Effort: String, Sendable, CaseIterable {
    case off
    /// Some seconds.
    case fast
    /// A minute or so.
    case full

    /// In multiplications of doubles.
    var budget: Double {
      switch self {
      case .off: 0
      case .fast: 1e9
      case .full: 5e10
      }
    }
  }

  private let effort: Effort

  package init(_ effort: Effort) { self.effort = effort }

  package func diagnose(_ failure: Failure) -> Diagnosis? {
    guard effort != .off, failure.model.input.layout.batch > 0 else { return nil }
    let hasShapes = zip(failure.outputs.named, failure.oracle.named).allSatisfy {
      $0.tensor.shape == $1.tensor.shape
    }
    let whole = Evidence(
      model: failure.model, outputs: failure.outputs, exact: failure.oracle,
      sequences: Array(0..<failure.model.input.layout.batch))
    let sample = hasShapes ? FailingSequences(whole).sample(work: effort.budget / 1000) : whole
    let search = MistakeSearch(sample: sample, whole: whole, budget: effort.budget)
    let matches = search.matches()
    if matches.contains(where: { $0.mistakes.count == 1 }) {
      return Diagnosis(explanations: matches.map { explanation($0, failure.side) }, start: nil)
    }
    if hasShapes, let precision = PrecisionDetection(failure).explanation {
      return Diagnosis(explanations: [precision], start: nil)
    }
    if !matches.isEmpty {
      return Diagnosis(explanations: matches.map { explanation($0, failure.side) }, start: nil)
    }
    return Diagnosis(
      explanations: [], start: hasShapes ? FaultSearch(sample).place() : nil)
  }

  private func explanation(
    _ match: MistakeSearch.Match, _ side: Failure.Side
  ) -> Diagnosis.Explanation {
    let deeds = match.mistakes.map(\.deed).joined(separator: ", and with ")
    let advice = match.mistakes.map(\.advice).joined(separator: "; ")
    let origins = match.mistakes.flatMap(\.origins)
    let likes = origins.isEmpty ? "" : " (as \(origins.joined(separator: "; ")))"
    let verb = side == .outputs ? "are" : "is"
    let sigma = (match.largestZ * 10).rounded() / 10
    return Diagnosis.Explanation(
      names: match.mistakes.map(\.name),
      sentence:
        "the \(side.rawValue) \(verb) reproduced to \(sigma)σ with \(deeds)\(likes): \(advice)",
      largestZ: match.largestZ)
  }
}
