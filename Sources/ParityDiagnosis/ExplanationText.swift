import ParityJudging
import RecurrentModel

/// Makes the sentences that say which mistakes reproduce a failing side.
struct ExplanationText {
  private let side: Side
  private let chain: Chain

  init(_ failure: Failure) {
    side = failure.side
    chain = failure.chain
  }

  /// The diagnosis that names mistakes which reproduce the failing side within rounding noise.
  func diagnosis(_ matches: [MistakeSearch.Match]) -> Diagnosis {
    Diagnosis(
      explanations: matches.map { match in
        let sigma = (match.largestZ * 10).rounded() / 10
        return explanation("to \(sigma)σ", match.mistakes)
      },
      undeclared: matches.first?.mistakes.lazy.compactMap(\.mistake.undeclared).first
        .map { StatedComputation(arithmetic: $0) })
  }

  /// The diagnosis that names a mistake which reproduces the failing side nearly.
  ///
  /// - Parameter residual: the share of the difference that the mistake does not explain.
  func diagnosis(_ mistake: PlacedMistake, residual: Double) -> Diagnosis {
    let parts = Int(1 / max(residual, 1e-9))
    let question =
      mistake.mistake.isEstimate
      ? "" : " (is an exponential or a tanh of less than float32's precision?)"
    return Diagnosis(explanations: [
      explanation(
        "but for 1 part in \(parts) of the difference, more than rounding leaves\(question),",
        [mistake])
    ])
  }

  private func explanation(
    _ extent: String, _ mistakes: [PlacedMistake]
  ) -> Diagnosis.Explanation {
    let summaries = mistakes.map { place($0) + $0.summary }
      .joined(separator: ", and with")
    let origins = mistakes.flatMap(\.mistake.origins)
    let likes = origins.isEmpty ? "" : " (seen in \(origins.joined(separator: "; ")))"
    let advice = mistakes.map { placed in
      placed.mistake.advice + (placed.mistake.issue.map { " (as in \($0))" } ?? "")
    }.joined(separator: "; ")
    return Diagnosis.Explanation(
      names: mistakes.map(\.name),
      sentence: "the \(side.rawValue) \(side.verb("is", "are")) reproduced \(extent) with"
        + "\(summaries)\(likes): \(advice)")
  }

  /// Where in a chain the mistake was made, as it stands behind "with" in the sentence; a space
  /// in a case of one module.
  private func place(_ placed: PlacedMistake) -> String {
    guard !chain.isSingleModule else { return " " }
    guard placed.modules.count == 1 else { return ", in every recurrent module, " }
    let module = chain.modules[placed.modules[0]]
    return ", in \(module.name) (\(module.className)), "
  }
}
