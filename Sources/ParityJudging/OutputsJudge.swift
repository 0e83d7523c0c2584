package import ParityFixtures
package import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// Judges many sets of outputs of one case by the case's own rules, as the audit does with what
/// each planted bug gives. The noise is measured once.
///
/// ```swift
/// let judge = OutputsJudge(parityCase)
/// judge?.accepts(parityCase.reference)  // true
/// ```
///
/// It says yes or no. Findings, a verdict and a diagnosis are `Judge`'s.
package struct OutputsJudge: Sendable {
  private let parityCase: ParityCase
  private let arithmetic: Arithmetic
  /// What each result is held to, by its name.
  private let limits: [String: Limits]

  /// - Returns: nil for a case that has no parameters, and so nothing to run.
  /// - Complexity: O(18 forward passes) under the noise rule.
  package init?(_ parityCase: ParityCase) {
    guard let chain = parityCase.chain,
      let oracle = try? Truth(chain).results
    else { return nil }
    self.parityCase = parityCase
    arithmetic = chain.arithmetic
    let rules = CaseRules(parityCase)
    let noise = rules.replicas.flatMap { try? CaseNoise(ChainVariant(chain), replicas: $0) }
    let sides = ComparedSides(
      reference: chain.arithmetic, subject: nil, noise: noise, chain: chain)
    let pair = SidePair(.outputs, against: .reference)
    limits = Dictionary(
      parityCase.reference.named.map { name, tensor in
        let limits = sides.limits(
          pair, name, rules[name], exact: oracle[name] ?? tensor,
          stored: Arithmetic(of: tensor.elementType) ?? chain.arithmetic)
        return (name, limits)
      }, uniquingKeysWith: { first, _ in first })
  }

  /// Whether these outputs would pass: whether their shapes, their layout and each element are as
  /// the case wants them. A result that is missing is passed over.
  ///
  /// - Complexity: O(elements).
  package func accepts(_ outputs: Results) -> Bool {
    for (name, expected) in parityCase.reference.named {
      guard let actual = outputs[name] else { continue }
      guard actual.shape == expected.shape else { return false }
    }
    let isLaidOut = parityCase.layouts.allSatisfy { layout in
      outputs.outputs(of: layout.name).map { own in
        LayoutJudge.findings(
          layout.contract, own, side: .outputs, module: layout.name, limits: .torch(arithmetic)
        ).allSatisfy(\.holds)
      } ?? true
    }
    return isLaidOut
      && parityCase.reference.named.allSatisfy { name, expected in
        guard let actual = outputs[name], let limits = limits[name] else { return true }
        return TensorDifference(of: actual, from: expected, within: limits).agrees
      }
  }
}
