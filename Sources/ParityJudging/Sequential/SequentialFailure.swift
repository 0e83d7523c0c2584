package import ParityFixtures
import RecurrentModel
package import TensorComparison
package import TensorCore

/// A chain that failed, for whoever can say why.
package struct SequentialFailure: Sendable {
  package let chain: SequentialCase
  /// Which of the sides differs from what the chain computes.
  package let side: Failure.Side
  /// What that side says, by the names in `outputs/`; intermediate results may be missing.
  package let outputs: [String: Tensor]
  private let limits: [String: NoiseLimits]

  /// How far that side may be from a chain in doubles; nil for an output that is not held to
  /// rounding noise.
  package func limits(_ name: String) -> Limits? { limits[name].map(Limits.noise) }

  init(
    _ chain: SequentialCase, side: Failure.Side, outputs: [String: Tensor],
    oracle: SequentialOutput, noise: CaseNoise?
  ) {
    self.chain = chain
    self.side = side
    self.outputs = outputs
    var limits: [String: NoiseLimits] = [:]
    for (name, exact) in oracle.named {
      let stored =
        outputs[name].flatMap { Arithmetic(of: $0.elementType) } ?? chain.arithmetic
      limits[name] = noise?.limits(
        side == .reference ? .referenceAndOracle : .subjectAndOracle, name, exact: exact,
        stored: stored)
    }
    self.limits = limits
  }
}
