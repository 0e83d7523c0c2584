package import ParityFixtures
package import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// Judges many outputs of one case by its own rules; measures its noise once.
package struct OutputsJudge: Sendable {
  private let parityCase: ParityCase
  private let arithmetic: Arithmetic
  /// By the names of the reference's tensors.
  private let limits: [String: Limits]

  /// - Returns: nil for a case that has nothing to run.
  package init?(_ parityCase: ParityCase) {
    guard let chain = parityCase.chain,
      let oracle = try? chain.results(in: .float64, recurrent: { _, call in call.oracleOutputs })
    else { return nil }
    self.parityCase = parityCase
    arithmetic = chain.arithmetic
    let rules = CaseRules(parityCase)
    let noise = rules.replicas.flatMap { try? CaseNoise(ChainVariant(chain), replicas: $0) }
    let sides = ComparedSides(reference: chain.arithmetic, subject: nil, noise: noise)
    let pair = SidePair(.outputs, against: .reference)
    limits = Dictionary(
      parityCase.reference.named.map { name, tensor in
        let limits = sides.limits(
          pair, name, rules[name], exact: oracle[name] ?? tensor,
          stored: Arithmetic(of: tensor.elementType) ?? chain.arithmetic)
        return (name, limits)
      }, uniquingKeysWith: { first, _ in first })
  }

  /// Whether these outputs would pass: their shapes, their layout and every element.
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
