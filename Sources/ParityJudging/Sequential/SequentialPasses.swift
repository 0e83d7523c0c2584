package import ParityFixtures
package import RecurrentModel
package import TensorCore

/// The three sides of a chain: its reference, the subject's results, the oracle's.
package struct SequentialPasses {
  package let chain: SequentialCase
  /// In doubles.
  package let oracle: SequentialOutput
  /// By the names of the reference's; intermediate ones may be missing.
  package let actual: [String: Tensor]

  init(_ chain: SequentialCase, oracle: SequentialOutput, actual: [String: Tensor]) {
    self.chain = chain
    self.oracle = oracle
    self.actual = actual
  }

  /// What all three sides have, in the order in which the modules run.
  var compared: [(name: String, actual: Tensor, reference: Tensor, oracle: Tensor)] {
    chain.reference.compactMap { name, reference in
      guard let ours = actual[name], let exact = oracle[name] else { return nil }
      return (name, ours, reference, exact)
    }
  }

  func failure(_ result: CaseResult, _ noise: CaseNoise?, in arithmetic: Arithmetic?)
    -> SequentialFailure
  {
    let side = result.isReferenceAtFault ? .reference : result.subject
    let compared = compared.map { ($0.name, side == .reference ? $0.reference : $0.actual) }
    return SequentialFailure(
      chain, side: side, outputs: Dictionary(uniqueKeysWithValues: compared), oracle: oracle,
      noise: noise, in: arithmetic)
  }

  /// What is wrong where the subject's outputs are not of the reference's shapes.
  func shapeMismatch(of side: Failure.Side) -> String? {
    compared.lazy.compactMap { name, actual, reference, _ in
      ShapeMismatch(name, found: actual, expected: reference)?.text(side)
    }.first
  }
}
