import ParityFixtures
package import ParityJudging
import RecurrentModel
import TensorComparison
import TensorCore

extension Diagnostician {
  /// What reproduces the failing side of a chain: each known mistake around its recurrent
  /// modules and in all of them; else what is wrong in the first module that differs, pairs of
  /// mistakes too, where all of its results are there. O(one forward pass each).
  package func diagnose(_ failure: SequentialFailure) -> Diagnosis? {
    guard effort != .off, failure.chain.input.count > 0 else { return nil }
    let search = SequentialSearch(failure, budget: effort.budget)
    return diagnosis(search.matches(), failure)
      ?? failure.firstDiffering.flatMap { module, own in diagnose(own)?.within(module) }
      ?? Diagnosis(explanations: [])
  }

  private func diagnosis(
    _ matches: [SequentialSearch.Match], _ failure: SequentialFailure
  ) -> Diagnosis? {
    guard let best = matches.map(\.z).min() else { return nil }
    return Diagnosis(
      explanations: matches.filter { $0.z <= best * Self.alike }.map {
        explanation($0.replay, $0.z, failure.side)
      })
  }

  /// Two that are this near each other explain equally: each is held to noise that was
  /// measured on its own.
  private static let alike = 2.0

  private func explanation(
    _ replay: SequentialReplay, _ z: Double, _ side: Failure.Side
  ) -> Diagnosis.Explanation {
    let verb = side == .outputs ? "are" : "is"
    return Diagnosis.Explanation(
      names: [replay.name],
      sentence: "the \(side.rawValue) \(verb) reproduced to \((z * 10).rounded() / 10)σ with, in "
        + "\(replay.module.name) (\(replay.module.className)), \(replay.deed): \(replay.advice)")
  }
}
