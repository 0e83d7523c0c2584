import ParityJudging

/// Looks for the mistakes, one or two, under which a failing side is reproduced.
struct MistakeSearch {
  /// Of some sequences.
  let sample: Evidence
  /// Of all, for mistakes that mix them.
  let whole: Evidence
  /// How much a search may cost, in multiplications.
  let budget: Double

  /// Some mistakes made together, and what they leave of the difference.
  struct Candidate: Sendable {
    let mistakes: [Mistake]
    let left: Double
  }

  struct Match: Sendable {
    let mistakes: [Mistake]
    let largestZ: Double
    let rmsZ: Double
  }

  /// What each mistake leaves, the least first. O(mistakes · forward passes).
  func singles() -> [Candidate] {
    concurrentMap(Mistake.all.count) { candidate([Mistake.all[$0]]) }
      .compactMap(\.self).sorted { $0.left < $1.left }
  }

  /// The pairs of these that explain the failure about as well as the best does.
  /// O(mistakes² · forward passes), within the budget.
  func pairs(of singles: [Candidate]) -> [Match] {
    let pairs = orderedPairs(of: singles)
    var left = budget
    let affordable = pairs.filter { pair in
      let work = evidence(pair).work
      guard work <= left else { return false }
      left -= work
      return true
    }
    let tried = concurrentMap(affordable.count) { candidate(ordered(affordable[$0])) }
    return verified(tried.compactMap(\.self).sorted { $0.left < $1.left })
  }

  /// The single mistake that leaves next to nothing of the difference, which its rounding
  /// does not explain: together with one in precision where that does, else alone.
  /// O(mistakes in precision · 17 forward passes).
  func nearest(of singles: [Candidate]) -> NearMatch? {
    guard let nearest = singles.first, nearest.left <= Self.leftByNearest else { return nil }
    let precise = verified(
      PrecisionMistakes.all.compactMap { candidate(ordered(nearest.mistakes + [$0])) })
    return precise.isEmpty
      ? .alone(nearest.mistakes[0], left: nearest.left) : .together(precise)
  }

  enum NearMatch {
    case together([Match])
    case alone(Mistake, left: Double)
  }

  /// Far more than rounding leaves, and far less than another mistake would.
  private static let leftByNearest = 1e-3

  /// The likeliest first: one of a pair often explains much of the difference by itself.
  private func orderedPairs(of singles: [Candidate]) -> [[Mistake]] {
    let count = singles.count
    guard count > 1 else { return [] }
    return (1...2 * count - 3).flatMap { total in
      (max(0, total - count + 1)..<(total + 1) / 2).map {
        singles[$0].mistakes + singles[total - $0].mistakes
      }
    }
  }

  private func ordered(_ pair: [Mistake]) -> [Mistake] {
    let places = pair.map { mistake in
      Mistake.all.firstIndex { $0.name == mistake.name } ?? 0
    }
    return places[0] <= places[1] ? pair : pair.reversed()
  }

  private func evidence(_ mistakes: [Mistake]) -> Evidence {
    mistakes.contains(where: \.mixesSequences) ? whole : sample
  }

  /// nil where the mistakes can't be seen in this case, or not be afforded.
  private func replay(_ mistakes: [Mistake]) -> Replay? {
    let evidence = evidence(mistakes)
    guard evidence.work <= Self.wholes * budget else { return nil }
    var replay = Replay(evidence.call)
    for mistake in mistakes {
      do throws(NotApplicable) { try mistake.apply(to: &replay) } catch { return nil }
    }
    return replay
  }

  private func candidate(_ mistakes: [Mistake]) -> Candidate? {
    guard let replay = replay(mistakes) else { return nil }
    return Candidate(mistakes: mistakes, left: evidence(mistakes).left(by: replay))
  }

  /// More of the difference than this is not left by what explains it, unless it is
  /// rounding itself that they get wrong.
  private func largestLeft(by mistakes: [Mistake]) -> Double {
    mistakes.map(\.largestLeft).max() ?? 0
  }

  /// A few mistakes need the whole batch, which then may cost more than any sample.
  private static let wholes = 10.0
  /// How many are held to the noise rule, at seventeen forward passes each.
  private static let verifiedCount = 8

  /// Those that reproduce the failing side under the noise rule, about as well as the best
  /// does.
  func verified(_ candidates: [Candidate]) -> [Match] {
    let best = candidates.filter { $0.left <= largestLeft(by: $0.mistakes) }.prefix(
      Self.verifiedCount)
    let matches = best.compactMap { candidate -> Match? in
      guard let replay = replay(candidate.mistakes),
        let z = evidence(candidate.mistakes).largestZ(under: replay)
      else { return nil }
      return Match(mistakes: candidate.mistakes, largestZ: z.largest, rmsZ: z.rms)
    }
    guard let least = matches.map(\.rmsZ).min() else { return [] }
    // Rounding decides nothing between two that are as near as that.
    return matches.filter { $0.rmsZ <= 2 * least + 0.5 }
      .enumerated().sorted { a, b in
        (place(a.element), a.offset) < (place(b.element), b.offset)
      }.map(\.element)
  }

  private func place(_ match: Match) -> Int {
    match.mistakes.reduce(0) { sum, mistake in
      sum + (Mistake.all.firstIndex { $0.name == mistake.name } ?? 0)
    }
  }
}
