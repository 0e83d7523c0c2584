/// A known way to get a recurrent layer wrong, as data.
///
/// A new one is one more element of a list under `Mistakes/`: diagnosis tries it, and the
/// audit plants it.
package struct Mistake: Sendable {
  /// For people to search for and for programs to tell apart: `gates-iofg`.
  package let name: String
  /// What was done, as it stands behind "with": "the gates in the order i, o, f, g".
  package let deed: String
  /// One sentence on what PyTorch does instead, and so what to change.
  package let advice: String
  /// Frameworks or habits that do it so; empty where none is known for it.
  package let origins: [String]
  /// A public issue about it, `owner/repository#number`.
  package let evidence: String?
  /// Whether a sequence's results then depend on others of its batch.
  let mixesSequences: Bool
  /// How much of a failing side's difference may be left where this explains it: what is
  /// left is rounding, which is less than half of what can be seen.
  let largestLeft: Double
  let change: @Sendable (inout Replay) throws(NotApplicable) -> Void

  init(
    _ name: String, with deed: String, _ advice: String, by origins: [String] = [],
    evidence: String? = nil, mixesSequences: Bool = false, largestLeft: Double = 0.5,
    _ change: @escaping @Sendable (inout Replay) throws(NotApplicable) -> Void
  ) {
    self.name = name
    self.deed = deed
    self.advice = advice
    self.origins = origins
    self.evidence = evidence
    self.mixesSequences = mixesSequences
    self.largestLeft = largestLeft
    self.change = change
  }

  /// - Throws: `NotApplicable` where nobody could see it.
  package func apply(to replay: inout Replay) throws(NotApplicable) { try change(&replay) }

  /// In the order in which a computation goes through them, the common ones first: where
  /// two explain a failure equally, the earlier is named first.
  package static let all: [Mistake] =
    WeightMistakes.all + GateMistakes.all + BiasMistakes.all + StepMistakes.all
    + DirectionMistakes.ofParameters + LayerMistakes.ofParameters + InputMistakes.all
    + RaggedMistakes.ofInput + PrecisionMistakes.all + LayerMistakes.ofResults
    + DirectionMistakes.ofResults + RaggedMistakes.ofResults + ResultMistakes.all
}
