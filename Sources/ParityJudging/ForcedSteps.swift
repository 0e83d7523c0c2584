import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

extension Passes {
  /// Judges what rounding has amplified too much to be compared with another side's: each step is
  /// computed anew from the side's own h of the step before (teacher forcing), and the side's
  /// numbers are held to the rounding of that one step.
  ///
  /// An error in a chaotic module grows from step to step without bound, but no step makes a
  /// large one: a side that computes right passes, however far it has drifted from the others.
  /// Only elements that `noise` cannot judge are compared here, and of these only those of a last
  /// layer whose inputs can be told: the h of the layers below is in no result.
  ///
  /// - Parameters:
  ///   - noise: that of the comparisons between the sides.
  ///   - rules: of the case. Only results under the noise rule are compared.
  /// - Returns: comparisons of the reference, and of the subject, with its own steps.
  /// - Complexity: O(17 forward passes) for each of the two sides with 16 replicas.
  func forcedSteps(_ noise: CaseNoise, _ rules: CaseRules) -> [TensorFinding] {
    [(Side.reference, reference, nil), (subject, actual, arithmetic)].flatMap {
      side, results, arithmetic in
      guard let estimate = noise.forced(by: results, of: chain, as: side, rules.replicas) else {
        return [TensorFinding]()
      }
      return compared.compactMap { name, _, stored, _ -> TensorFinding? in
        let rule = rules[name]
        guard case .noise(let largestZ, _) = rule, let tensor = results[name],
          let limits = noise.limitsOfForced(estimate, name), let exact = estimate[name]
        else { return nil }
        let own = Arithmetic(of: stored.elementType) ?? chain.arithmetic
        return TensorFinding(
          SidePair(side, against: .ownSteps), name, own.coarser(arithmetic ?? own), rule,
          of: tensor, from: Tensor(exact.values, shape: exact.shape),
          within: .noise(limits.with(largestZ: largestZ)))
      }
    }
  }
}

extension CaseNoise {
  /// The rounding noise of single steps, each from a side's own h of the step before.
  ///
  /// - Returns: nil where the side's `output` is stored in a coarser type than it was computed
  ///   in, so that the h from which it went on is not known.
  func forced(
    by results: Results, of chain: Chain, as side: Side, _ replicas: Int?
  ) -> NoiseEstimate? {
    let model = model(of: side, in: chain)
    let isRounded = results.named.contains { _, tensor in
      (Arithmetic(of: tensor.elementType)?.unitRoundoff ?? 0) > model.arithmetic.unitRoundoff
    }
    guard !isRounded else { return nil }
    return try? model.estimate(
      ChainVariant(chain), replicas: replicas ?? 16, keepsValues: true, forcing: results)
  }

  /// The limits of the elements that can be judged by their own steps alone; nil where there are
  /// none.
  func limitsOfForced(_ estimate: NoiseEstimate, _ name: String) -> NoiseLimits? {
    guard let forced = estimate[name]?.limits, let lost = lostElements(name),
      lost.count == forced.isJudged.count
    else { return nil }
    let isJudged = zip(forced.isJudged, lost).map { $0 && $1 }
    guard isJudged.contains(true) else { return nil }
    return NoiseLimits(
      sigma: forced.sigma, isJudged: isJudged, independentCount: forced.independentCount)
  }
}
