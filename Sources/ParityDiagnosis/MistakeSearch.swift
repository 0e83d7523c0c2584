import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorCore

/// Looks for the mistakes, one or two, that give a failing side's outputs.
///
/// ```swift
/// let whole = Evidence(failure)
/// let search = MistakeSearch(
///   screening: whole.sample(work: 0), sample: whole.sample(work: 1e6), whole: whole, budget: 1e9)
/// let candidates = search.singles(PlacedMistake.all(in: failure.chain, suspects: 0...0))
/// let matches = search.verified(candidates)
/// ```
///
/// All candidates are tried on as few sequences as can tell them apart, which is cheap; those
/// that survive are held to more sequences, and the best of these to the noise rule.
struct MistakeSearch {
  /// The evidence of as few sequences as can tell one mistake from another, on which all mistakes
  /// are tried.
  let screening: Evidence
  /// The evidence of more sequences, to which those mistakes are held that explain the few.
  let sample: Evidence
  /// The evidence of all sequences, for mistakes that mix them.
  let whole: Evidence
  /// What a search for pairs may cost, in multiplications.
  let budget: Double

  /// Some mistakes that were made together, and the share of the difference that they leave.
  struct Candidate: Sendable {
    let mistakes: [PlacedMistake]
    let residual: Double
  }

  /// Mistakes that reproduce the failing side by the noise rule, and how near they come to it, in
  /// σ.
  struct Match: Sendable {
    let mistakes: [PlacedMistake]
    let largestZ: Double
    let rmsZ: Double
  }

  /// Tries each mistake alone.
  ///
  /// - Returns: what each leaves of the difference, the least first; none for mistakes that
  ///   cannot show in this case.
  /// - Complexity: O(mistakes) forward passes, which cost at most a hundred times the budget.
  func singles(_ mistakes: [PlacedMistake]) -> [Candidate] {
    candidates(affordable(mistakes.map { [$0] }, 100 * budget))
  }

  /// Candidates in the order of what they leave, the least first.
  static func ordered(_ candidates: [Candidate]) -> [Candidate] {
    candidates.sorted { $0.residual < $1.residual }
  }

  /// Of one mistake in several scopes, the one that says least: the others give the same.
  static func widest(_ matches: [Match]) -> [Match] {
    let groups = Dictionary(grouping: matches) { $0.mistakes[0].mistake.name }
    return matches.filter { match in
      let scope = match.mistakes[0].scope
      guard match.mistakes.count == 1, !scope.isAll else { return true }
      let widest = groups[match.mistakes[0].mistake.name]?.map(\.mistakes[0].scope)
        .min { $0.specificity < $1.specificity }
      return widest == scope
    }
  }

  /// Tries the mistakes two at a time: each beside each other, and the leading ones beside those
  /// that have a number or a scope, of which there are too many to try all pairs.
  ///
  /// - Parameters:
  ///   - singles: mistakes as they are mostly made.
  ///   - particulars: mistakes with each of their numbers, or in each of their scopes.
  /// - Returns: the pairs that reproduce the failing side about as well as the best of them does;
  ///   and, where there is none, which were not tried.
  /// - Complexity: O(mistakes²) forward passes, which cost at most one and a half times the budget.
  func pairs(
    of singles: [Candidate], beside particulars: [Candidate]
  ) -> (matches: [Match], untried: UntriedPairs?) {
    // What changes nothing by itself, changes nothing beside another either, but for few.
    let groups = Self.alike(singles.filter { $0.residual != 1 })
    let particular = Self.alike(particulars.filter { $0.residual != 1 })
    let leading = Self.ordered(groups.map(\.first) + particular.map(\.first))
      .prefix(Self.leadingCount)
    let plain = orderedPairs(of: groups.map(\.first)).map(ordered)
    let placed = pairs(of: Array(leading), particular.map(\.first)).map(ordered)
    let all = plain + placed
    let others = Dictionary(
      (groups + particular).map { ($0.first.mistakes[0].name, $0.others) },
      uniquingKeysWith: { first, _ in first })
    func alike(_ pairs: [[PlacedMistake]]) -> [[PlacedMistake]] {
      pairs.flatMap { pair in
        pair.indices.flatMap { index in
          (others[pair[index].name] ?? []).map { other in
            var alike = pair
            alike[index] = other.mistakes[0]
            return ordered(alike)
          }
        }
      }
    }
    let tried = affordable(plain, budget) + affordable(placed, budget / 2)
    let found = candidates(tried)
    let matches = verified(found)
    guard matches.isEmpty else {
      let others = candidates(affordable(alike(matches.map(\.mistakes)), budget))
      return (others.isEmpty ? matches : verified(Self.ordered(found + others)), nil)
    }
    // Those that look alike in the few sequences of the screening may part in others.
    let rest = alike(all)
    let triedOfRest = affordable(rest, 1.5 * budget - tried.reduce(0) { $0 + cost(of: $1) })
    let late = verified(candidates(triedOfRest))
    guard late.isEmpty else { return (late, nil) }
    let (triedCount, allCount) = (tried.count + triedOfRest.count, all.count + rest.count)
    guard triedCount < allCount else { return ([], nil) }
    return (
      [],
      UntriedPairs(
        tried: triedCount, all: allCount,
        isExtensible: budget < Diagnostician.Effort.full.budget)
    )
  }

  /// Candidates that leave the same of the difference, to many digits, and so give the same outputs:
  /// the first of each, in their order, and the others.
  private static func alike(
    _ candidates: [Candidate]
  ) -> [(first: Candidate, others: [Candidate])] {
    var groups: [(first: Candidate, others: [Candidate])] = []
    for candidate in candidates {
      // Where the shapes differ, nothing is known of what is left.
      if let last = groups.last?.first.residual, candidate.residual.isFinite,
        abs(candidate.residual - last) <= 1e-12 * last
      {
        groups[groups.count - 1].others.append(candidate)
      } else {
        groups.append((candidate, []))
      }
    }
    return groups
  }

  /// The single mistake that leaves next to nothing of the difference, but more than rounding
  /// does. Where a mistake in precision explains the rest, it is named too.
  ///
  /// - Returns: nil where no mistake leaves so little.
  /// - Complexity: O(17 forward passes) for each mistake in precision that is verified.
  func nearest(of singles: [Candidate]) -> NearMatch? {
    guard let nearest = singles.first, nearest.residual <= Self.largestResidualOfNearest else {
      return estimate(of: singles)
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

  /// A mistake that is known but for details, where it leaves the least of all, over many numbers.
  private func estimate(of singles: [Candidate]) -> NearMatch? {
    let count = sample.outputs.named.reduce(0) { $0 + $1.tensor.count }
    guard let nearest = singles.first, count >= Self.countForEstimates,
      nearest.mistakes[0].mistake.isEstimate,
      nearest.residual <= Mistake.largestOfEstimates
    else { return nil }
    return .alone(nearest.mistakes[0], residual: nearest.residual)
  }

  /// Fewer numbers could resemble a mistake's by chance.
  private static let countForEstimates = 64

  /// What is found where no single mistake explains the failure within rounding, but one does so
  /// nearly.
  enum NearMatch {
    /// The mistake reproduces the failing side once a mistake in precision is made with it.
    case together([Match])
    /// Nothing is known that explains the rest.
    case alone(PlacedMistake, residual: Double)
  }

  /// The share of the difference up to which a mistake leaves "next to nothing": far more than
  /// rounding leaves, and far less than any other mistake would.
  private static let largestResidualOfNearest = 1e-3

  /// The pairs, the likeliest first: one mistake of a pair often explains much of the difference
  /// by itself. Two mistakes of recurrent modules are looked for in the same modules.
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

  /// Each of some leading mistakes beside each particular one, the likeliest first.
  private func pairs(
    of leading: [Candidate], _ particulars: [Candidate]
  ) -> [[PlacedMistake]] {
    let pairs = leading.indices.flatMap { first in
      particulars.indices.map { (first: first, second: $0) }
    }
    let likeliest = pairs.sorted { a, b in
      (a.first * particulars.count + a.second * leading.count, a.first)
        < (b.first * particulars.count + b.second * leading.count, b.first)
    }
    return likeliest.compactMap { first, second in
      let pair = leading[first].mistakes + particulars[second].mistakes
      return pair[0].mistake.name != pair[1].mistake.name && Self.areTogether(pair[0], pair[1])
        ? pair : nil
    }
  }

  /// How many mistakes are tried beside those that have a number or a scope.
  private static let leadingCount = 16

  /// Whether two mistakes may have been made together.
  private static func areTogether(_ a: PlacedMistake, _ b: PlacedMistake) -> Bool {
    a.mistake.kind != b.mistake.kind || a.modules == b.modules
  }

  /// The pair in the order in which the mistakes are made.
  private func ordered(_ pair: [PlacedMistake]) -> [PlacedMistake] {
    pair[0].mistake.rank <= pair[1].mistake.rank ? pair : pair.reversed()
  }

  /// The evidence to try some mistakes on: `some`, or the whole where they mix sequences.
  private func evidence(_ mistakes: [PlacedMistake], _ some: Evidence) -> Evidence {
    mistakes.contains(where: \.mistake.mixesSequences) ? whole : some
  }

  /// As many as the budget allows, the first of them first.
  private func affordable(_ all: [[PlacedMistake]], _ budget: Double) -> [[PlacedMistake]] {
    var left = budget
    return all.filter { mistakes in
      let work = cost(of: mistakes)
      guard work <= left else { return false }
      left -= work
      return true
    }
  }

  /// What it costs to try some mistakes, in multiplications.
  private func cost(of mistakes: [PlacedMistake]) -> Double {
    evidence(mistakes, screening).chain.work + Self.workBeside
  }

  /// - Returns: what each leaves of the difference, the least first.
  private func candidates(_ all: [[PlacedMistake]]) -> [Candidate] {
    concurrentMap(all.count) { candidate(all[$0]) }
      .compactMap(\.self).sorted { $0.residual < $1.residual }
  }

  /// The chain with the mistakes made in it; nil where they cannot show in this case, or would
  /// cost too much.
  private func replay(_ mistakes: [PlacedMistake], _ evidence: Evidence) -> Replay? {
    guard evidence.chain.work <= Self.wholeBatches * budget else { return nil }
    var replay = Replay(evidence.chain)
    for placed in mistakes {
      do throws(NotApplicable) {
        try placed.apply(to: &replay)
      } catch { return nil }
    }
    return replay
  }

  /// What some mistakes leave of the difference, on few sequences or, where these do not refute
  /// them, on more.
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

  /// The largest share of the difference that may be left where these mistakes explain it: of
  /// two, what the stricter one allows.
  private func largestResidual(by mistakes: [PlacedMistake]) -> Double {
    mistakes.map(\.mistake.largestResidual).min() ?? 0
  }

  /// What a small forward pass costs beside its multiplications, in multiplications.
  private static let workBeside = 2e5
  /// How many times the budget one forward pass may cost. A few mistakes need the whole batch,
  /// which may cost more than any sample.
  private static let wholeBatches = 10.0
  /// How many candidates are held to the noise rule, at the cost of seventeen forward passes
  /// each.
  private static let verifiedCount = 8

  /// Holds the best candidates to the noise rule.
  ///
  /// - Returns: those that reproduce the failing side about as well as the best of them does, the
  ///   likeliest first.
  /// - Complexity: O(17 forward passes) for each of at most eight.
  func verified(_ candidates: [Candidate]) -> [Match] {
    let best = candidates.filter { $0.residual <= largestResidual(by: $0.mistakes) }.prefix(
      Self.verifiedCount)
    let matches = best.compactMap { candidate -> Match? in
      let evidence = evidence(candidate.mistakes, sample)
      guard let replay = replay(candidate.mistakes, evidence),
        let z = evidence.largestZ(under: replay),
        // What rounds otherwise explains nothing that any rounding does.
        largestResidual(by: candidate.mistakes) <= 1 || !evidence.isRounding
      else { return nil }
      return Match(mistakes: candidate.mistakes, largestZ: z.largest, rmsZ: z.rms)
    }
    guard let least = matches.map(\.rmsZ).min() else { return [] }
    // Two that are as near as that differ by rounding, which decides nothing between them.
    return matches.filter { $0.rmsZ <= 2 * least + 0.5 }
      .enumerated().sorted { a, b in
        (rank(a.element), a.offset) < (rank(b.element), b.offset)
      }.map(\.element)
  }

  private func rank(_ match: Match) -> Int {
    match.mistakes.reduce(0) { $0 + $1.mistake.rank }
  }
}
