package import ParityFixtures
package import RecurrentModel
package import TensorComparison
package import TensorCore

/// A chain that failed, for whoever can say why.
package struct SequentialFailure: Sendable {
  package let chain: SequentialCase
  /// Which of the sides differs from what the chain computes.
  package let side: Failure.Side
  /// What that side says, by the names in `outputs/`; intermediate results may be missing.
  package let outputs: [String: Tensor]
  /// What the subject computes in; nil for what the chain asks for.
  let arithmetic: Arithmetic?
  private let limits: [String: NoiseLimits]
  /// What the chain computes, in doubles.
  package let oracle: SequentialOutput

  /// How far that side may be from the chain in doubles.
  package func limits(_ name: String) -> Limits? { limits[name].map(Limits.noise) }

  /// The same where the chain is another, whose results in doubles are known. O(17 forward
  /// passes).
  package func limits(
    of other: Sequential, _ exact: SequentialOutput
  ) -> [String: Limits] {
    Self.limits(side, outputs, chain.arithmetic, exact, noise(of: other, chain.input))
      .mapValues(Limits.noise)
  }

  /// nil where the chain can't take the input.
  func noise(of sequential: Sequential, _ input: Tensor) -> CaseNoise? {
    try? CaseNoise(of: chain.arithmetic, subject: arithmetic) {
      (model: RoundingModel) throws(InvalidValue) -> NoiseEstimate in
      try NoiseEstimate(sequential, input, model, replicas: Replicas.scalarCount)
    }
  }

  init(
    _ chain: SequentialCase, side: Failure.Side, outputs: [String: Tensor],
    oracle: SequentialOutput, noise: CaseNoise?, in arithmetic: Arithmetic?
  ) {
    self.chain = chain
    self.side = side
    self.outputs = outputs
    self.oracle = oracle
    self.arithmetic = arithmetic
    limits = Self.limits(side, outputs, chain.arithmetic, oracle, noise)
  }

  private static func limits(
    _ side: Failure.Side, _ outputs: [String: Tensor], _ arithmetic: Arithmetic,
    _ exact: SequentialOutput, _ noise: CaseNoise?
  ) -> [String: NoiseLimits] {
    var limits: [String: NoiseLimits] = [:]
    for (name, exact) in exact.named {
      let stored = outputs[name].flatMap { Arithmetic(of: $0.elementType) } ?? arithmetic
      limits[name] = noise?.limits(
        side == .reference ? .referenceAndOracle : .subjectAndOracle, name, exact: exact,
        stored: stored)
    }
    return limits
  }
}
