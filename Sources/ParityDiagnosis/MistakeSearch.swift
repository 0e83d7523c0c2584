import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorCore

/// Looks for the mistakes, one or two, under which a failing side is reproduced.
struct MistakeSearch {
  /// Of as few sequences as can tell one mistake from another: all mistakes are tried on them.
  let screening: Evidence
  /// Of some sequences, to which those are held that explain these few.
  let sample: Evidence
  /// Of all, for mistakes that mix them.
  let whole: Evidence
  /// How much a search may cost, in multiplications.
  let budget: Double

  /// Some mistakes made together, and what they leave of the difference.
  struct Candidate: Sendable {
    let mistakes: [PlacedMistake]
    let residual: Double
  }

  struct Match: Sendable {
    let mistakes: [PlacedMistake]
    let largestZ: Double
    let rmsZ: Double
  }

  /// What each mistake leaves, the least first. O(mistakes · forward passes), within a hundred
  /// times the budget.
  func singles(_ mistakes: [PlacedMistake]) -> [Candidate] {
    candidates(mistakes.map { [$0] }, budget: 100 * budget)
  }

  /// The pairs of these that explain the failure about as well as the best does.
  /// O(mistakes² · forward passes), within the budget.
  func pairs(of singles: [Candidate]) -> [Match] {
    verified(candidates(orderedPairs(of: singles).map(ordered), budget: budget))
  }

  /// The single mistake that leaves next to nothing of the difference, which its rounding
  /// does not explain: together with one in precision where that does, else alone.
  /// O(mistakes in precision · 17 forward passes).
  func nearest(of singles: [Candidate]) -> NearMatch? {
    guard let nearest = singles.first, nearest.residual <= Self.largestResidualOfNearest else {
      return nil
    }
    let chain = whole.chain
    let precise = verified(
      PrecisionMistakes.all.compactMap { mistake in
        let placed = PlacedMistake(mistake: mistake, modules: mistake.places(in: chain))
        return candidate(ordered(nearest.mistakes + [placed]))
      })
    return precise.isEmpty
      ? .alone(nearest.mistakes[0], residual: nearest.residual) : .together(precise)
  }

  enum NearMatch {
    case together([Match])
    case alone(PlacedMistake, residual: Double)
  }

  /// Far more than rounding leaves, and far less than another mistake would.
  private static let largestResidualOfNearest = 1e-3

  /// The likeliest first: one of a pair often explains much of the difference by itself. Two
  /// mistakes of recurrent modules are looked for in the same modules.
  private func orderedPairs(of singles: [Candidate]) -> [[PlacedMistake]] {
    let count = singles.count
    guard count > 1 else { return [] }
    return (1...2 * count - 3).flatMap { total -> [[PlacedMistake]] in
      (max(0, total - count + 1)..<(total + 1) / 2).compactMap { first in
        let pair = singles[first].mistakes + singles[total - first].mistakes
        return Self.areTogether(pair[0], pair[1]) ? pair : nil
      }
    }
  }

  private static func areTogether(_ a: PlacedMistake, _ b: PlacedMistake) -> Bool {
    a.mistake.kind != b.mistake.kind || a.modules == b.modules
  }

  private func ordered(_ pair: [PlacedMistake]) -> [PlacedMistake] {
    pair[0].mistake.rank <= pair[1].mistake.rank ? pair : pair.reversed()
  }

  private func evidence(_ mistakes: [PlacedMistake], _ some: Evidence) -> Evidence {
    mistakes.contains(where: \.mistake.mixesSequences) ? whole : some
  }

  /// As many as the budget allows to try, the least left first.
  private func candidates(_ all: [[PlacedMistake]], budget: Double) -> [Candidate] {
    var left = budget
    let affordable = all.filter { mistakes in
      let work = evidence(mistakes, screening).chain.work
      guard work <= left else { return false }
      left -= work
      return true
    }
    return concurrentMap(affordable.count) { candidate(affordable[$0]) }
      .compactMap(\.self).sorted { $0.residual < $1.residual }
  }

  /// nil where the mistakes can't be seen in this case, or not be afforded.
  private func replay(_ mistakes: [PlacedMistake], _ evidence: Evidence) -> Replay? {
    guard evidence.chain.work <= Self.wholeBatches * budget else { return nil }
    var replay = Replay(evidence.chain)
    for placed in mistakes {
      do throws(NotApplicable) {
        try placed.mistake.apply(to: &replay, in: placed.modules)
      } catch { return nil }
    }
    return replay
  }

  private func candidate(_ mistakes: [PlacedMistake]) -> Candidate? {
    let evidence = evidence(mistakes, screening)
    guard let replay = replay(mistakes, evidence) else { return nil }
    let residual = evidence.residual(of: replay)
    // What these few sequences do not refute, more of them may.
    guard residual <= largestResidual(by: mistakes),
      evidence.sequences.count < sample.sequences.count
    else { return Candidate(mistakes: mistakes, residual: residual) }
    return self.replay(mistakes, sample).map {
      Candidate(mistakes: mistakes, residual: sample.residual(of: $0))
    }
  }

  /// More of the difference than this is not left by what explains it: of two mistakes that
  /// is what the stricter one allows.
  private func largestResidual(by mistakes: [PlacedMistake]) -> Double {
    mistakes.map(\.mistake.largestResidual).min() ?? 0
  }

  /// A few mistakes need the whole batch, which then may cost more than any sample: as many
  /// times the budget.
  private static let wholeBatches = 10.0
  /// How many are held to the noise rule, at seventeen forward passes each.
  private static let verifiedCount = 8

  /// Those that reproduce the failing side under the noise rule, about as well as the best
  /// does.
  func verified(_ candidates: [Candidate]) -> [Match] {
    let best = candidates.filter { $0.residual <= largestResidual(by: $0.mistakes) }.prefix(
      Self.verifiedCount)
    let matches = best.compactMap { candidate -> Match? in
      let evidence = evidence(candidate.mistakes, sample)
      guard let replay = replay(candidate.mistakes, evidence),
        let z = evidence.largestZ(under: replay)
      else { return nil }
      return Match(mistakes: candidate.mistakes, largestZ: z.largest, rmsZ: z.rms)
    }
    guard let least = matches.map(\.rmsZ).min() else { return [] }
    // Rounding decides nothing between two that are as near as that.
    return matches.filter { $0.rmsZ <= 2 * least + 0.5 }
      .enumerated().sorted { a, b in
        (rank(a.element), a.offset) < (rank(b.element), b.offset)
      }.map(\.element)
  }

  private func rank(_ match: Match) -> Int {
    match.mistakes.reduce(0) { $0 + $1.mistake.rank }
  }
}
