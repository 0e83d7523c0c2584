import ParityFixtures
package import ParityJudging
import RecurrentModel
import TensorCore

/// Says why a case failed.
package struct Diagnostician: Diagnosing {
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

  let effort: Effort

  package init(_ effort: Effort) { self.effort = effort }

  package func diagnose(_ failure: Failure) -> Diagnosis? {
    guard effort != .off, failure.call.input.layout.batch > 0 else { return nil }
    let hasShapes = zip(failure.outputs.named, failure.oracle.named).allSatisfy {
      $0.tensor.shape == $1.tensor.shape
    }
    let whole = Evidence(
      call: failure.call, outputs: failure.outputs, exact: failure.oracle,
      sequences: Array(0..<failure.call.input.layout.batch))
    let sample = hasShapes ? FailingSequences(whole).sample(work: effort.budget / 1000) : whole
    let precision = hasShapes ? PrecisionDetection(failure) : nil
    if let storage = precision?.storage { return Diagnosis(explanations: [storage]) }
    let search = MistakeSearch(sample: sample, whole: whole, budget: effort.budget)
    let singles = search.singles()
    let matches = search.verified(singles)
    guard matches.isEmpty else { return diagnosis(matches, failure.side) }
    if let remark = blank(failure) { return Diagnosis(explanations: [], suspicion: remark) }
    if let explanation = precision?.explanation { return Diagnosis(explanations: [explanation]) }
    let pairs = search.pairs(of: singles)
    guard pairs.isEmpty else { return diagnosis(pairs, failure.side) }
    switch search.nearest(of: singles) {
    case .together(let matches): return diagnosis(matches, failure.side)
    case .alone(let mistake, let left):
      return Diagnosis(explanations: [explanation(mistake, left: left, failure.side)])
    case nil: break
    }
    return Diagnosis(
      explanations: [], start: hasShapes ? FaultSearch(sample).place() : nil,
      suspicion: precision?.suspicion)
  }

  /// What is to be said of outputs that hold one value everywhere; nil of any other.
  private func blank(_ failure: Failure) -> String? {
    let tensors = failure.outputs.named.map(\.tensor)
    func areAll(_ holds: (Double) -> Bool) -> Bool {
      tensors.allSatisfy { $0.withElements(as: Double.self) { $0.allSatisfy(holds) } }
    }
    func told(_ value: String) -> String {
      "every element of the \(failure.side.rawValue) is \(value): was anything written?"
    }
    if areAll({ $0 == 0 }) { return told("0") }
    return areAll(\.isNaN) ? told("NaN") : nil
  }

  private func diagnosis(
    _ matches: [MistakeSearch.Match], _ side: Failure.Side
  ) -> Diagnosis {
    Diagnosis(explanations: matches.map { explanation($0, side) })
  }

  private func explanation(
    _ match: MistakeSearch.Match, _ side: Failure.Side
  ) -> Diagnosis.Explanation {
    let sigma = (match.largestZ * 10).rounded() / 10
    return Diagnosis.Explanation(
      names: match.mistakes.map(\.name),
      sentence: sentence(side, "to \(sigma)σ", match.mistakes))
  }

  /// - Parameter left: the share of the difference that the mistake does not explain.
  private func explanation(
    _ mistake: Mistake, left: Double, _ side: Failure.Side
  ) -> Diagnosis.Explanation {
    let parts = Int(1 / Swift.max(left, 1e-9))
    return Diagnosis.Explanation(
      names: [mistake.name],
      sentence: sentence(
        side,
        "but for 1 part in \(parts) of the difference, more than rounding leaves (is an exponential "
          + "or a tanh of less than float32's precision?),", [mistake]))
  }

  private func sentence(
    _ side: Failure.Side, _ extent: String, _ mistakes: [Mistake]
  ) -> String {
    let deeds = mistakes.map(\.deed).joined(separator: ", and with ")
    let origins = mistakes.flatMap(\.origins)
    let likes = origins.isEmpty ? "" : " (seen in \(origins.joined(separator: "; ")))"
    let advice = mistakes.map { mistake in
      mistake.advice + (mistake.evidence.map { " (as in \($0))" } ?? "")
    }.joined(separator: "; ")
    let verb = side == .outputs ? "are" : "is"
    return "the \(side.rawValue) \(verb) reproduced \(extent) with \(deeds)\(likes): \(advice)"
  }
}
