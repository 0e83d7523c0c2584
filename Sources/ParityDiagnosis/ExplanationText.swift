import ParityJudging
import RecurrentModel
import TensorCore

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
      undeclared: matches.first?.mistakes.lazy.compactMap {
        StatedComputation(declaring: $0.mistake.undeclared, $0.storage, of: side)
      }.first)
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

extension StatedComputation {
  /// What a user has to state of how a side was computed; nil where that would not settle it. The
  /// weights that a reference was made with cannot be stated: they are the case's.
  init?(declaring arithmetic: Arithmetic?, _ storage: WeightStorage?, of side: Side) {
    let weights = side == .reference ? nil : storage
    guard arithmetic != nil || weights != nil else { return nil }
    self.init(arithmetic: arithmetic, weights: weights)
  }
}

extension PlacedMistake {
  /// The way of storing weights that would make it no mistake, once it is stated.
  var storage: WeightStorage? {
    guard scope.isAll, amount == nil || amount == 127 else { return nil }
    return mistake.storage
  }
}
