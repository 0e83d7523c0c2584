package import ParityFixtures
package import RecurrentModel
import TensorComparison
import TensorCore

/// Judges many outputs of one chain by its own rules; measures its noise once.
package struct SequentialOutputsJudge: Sendable {
  private let chain: SequentialCase
  private let oracle: SequentialOutput
  private let noise: CaseNoise?

  /// - Returns: nil for a chain that can't be run.
  package init?(_ chain: SequentialCase) {
    let judge = Judge()
    guard let oracle = try? judge.oracle(chain),
      let noise = try? judge.noise(chain, replicas: judge.replicas(chain))
    else { return nil }
    self.chain = chain
    self.oracle = oracle
    self.noise = noise
  }

  /// Whether these outputs would pass: their shapes and every element.
  package func accepts(_ outputs: SequentialOutput) -> Bool {
    let actual = Dictionary(uniqueKeysWithValues: outputs.named.map { ($0.name, $0.tensor) })
    let passes = SequentialPasses(chain, oracle: oracle, actual: actual)
    guard passes.shapeMismatch(of: .outputs) == nil else { return false }
    let sides = ComparedSides(reference: chain.arithmetic, subject: nil, noise: noise)
    return passes.compared.allSatisfy { tensor in
      sides.findings(
        tensor.name, chain.manifest.tolerance.rule(for: tensor.name), actual: tensor.actual,
        reference: tensor.reference, oracle: tensor.oracle
      ).allSatisfy { $0.sides != .subjectAndReference || $0.difference.agrees }
    }
  }
}
