import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// Recognises dropout that was left on: results of which some elements are 0, and all others are
/// 1 / (1 − p) times what they should be.
///
/// It is no `Mistake`, since which elements are dropped is random: no replay gives them.
struct Dropout {
  /// The share of the elements that are dropped.
  let p: Double
  /// The results in which it shows.
  let names: [String]

  /// - Returns: nil where the results are not what dropout makes of the right ones.
  /// - Complexity: O(elements), and O(17 forward passes) where these look like it.
  init?(_ evidence: Evidence) {
    let factors = evidence.outputs.named.compactMap { name, given in
      evidence.exact[name].flatMap { Self.factor(given, $0) }
    }
    guard let factor = factors.first,
      let noise = evidence.noise(of: ChainVariant(evidence.chain))
    else { return nil }
    var names: [String] = []
    for (name, given) in evidence.outputs.named {
      guard let exact = evidence.exact[name], exact.shape == given.shape else { return nil }
      let limits = evidence.limits(noise, name, given, exact: exact)
      if TensorDifference(of: given, from: exact, within: .noise(limits)).agrees { continue }
      guard Self.isDropped(given, exact, factor, limits) else { return nil }
      names.append(name)
    }
    guard !names.isEmpty else { return nil }
    p = 1 - 1 / factor
    self.names = names
  }

  /// What most elements are multiplied by where some of the others are 0; nil where that is not
  /// what they look like.
  private static func factor(_ given: Tensor, _ exact: Tensor) -> Double? {
    guard given.shape == exact.shape, given.count >= leastCount else { return nil }
    let pairs = (0..<given.count).map { (given.double(at: $0), exact.double(at: $0)) }
      .filter { $0.1 != 0 }
    let kept = pairs.filter { $0.0 != 0 }
    guard kept.count >= leastCount / 2, kept.count < pairs.count,
      let largest = kept.max(by: { abs($0.1) < abs($1.1) })
    else { return nil }
    let factor = largest.0 / largest.1
    // Masks that are shared by steps or units part from p by much, but a few zeros are none.
    let (p, shareKept) = (1 - 1 / factor, Double(kept.count) / Double(pairs.count))
    guard factor > 1.01, factor < 100, 1 - shareKept >= p / 4, shareKept >= (1 - p) / 4,
      kept.allSatisfy({ abs($0.0 / $0.1 / factor - 1) < 0.1 || abs($0.0) < 1e-3 })
    else { return nil }
    return factor
  }

  /// Whether each element is 0, or so many times what it should be, within rounding.
  private static func isDropped(
    _ given: Tensor, _ exact: Tensor, _ factor: Double, _ limits: NoiseLimits
  ) -> Bool {
    (0..<given.count).allSatisfy { offset in
      let own = given.double(at: offset)
      let allowed = limits.largestZ * limits.sigma[offset] * factor
      // The factor itself was taken from numbers that are rounded.
      let right = factor * exact.double(at: offset)
      return own == 0 || !limits.isJudged[offset] || abs(own - right) <= allowed + 1e-5 * abs(right)
    }
  }

  /// Of fewer elements it could be chance.
  private static let leastCount = 16

  /// The diagnosis that names it.
  ///
  /// - Parameter side: the failing side.
  func diagnosis(of side: Side) -> Diagnosis {
    let share = "\((p * 1000).rounded() / 1000)"
    let factor = "\((1000 / (1 - p)).rounded() / 1000)"
    return Diagnosis(explanations: [
      Diagnosis.Explanation(
        names: ["dropout-left-on"],
        sentence:
          "each element of \(names.joined(separator: " and ")) of the \(side.rawValue) is 0 "
          + "or \(factor) times what it should be: dropout with p = \(share) is on. Call eval() "
          + "before the forward pass")
    ])
  }
}
