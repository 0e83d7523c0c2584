package import RecurrentModel
package import TensorComparison
package import TensorCore

/// All that was measured in a case, without what it means.
package struct Findings: Sendable {
  package var comparisons: [TensorFinding] = []
  package var layout: [LayoutFinding] = []
  package var properties: [PropertyFinding] = []
  /// Under the noise rule, how many steps some direction reads before rounding is
  /// amplified so much that nothing can be judged; nil where all is judged.
  package var agreeingSteps: Int?
  /// On how many sequences of the batch the rounding noise was measured, for all of
  /// them; nil for every one.
  package var measuredSequences: Int?

  package init() {}
}

/// One tensor of one pair of sides, compared.
package struct TensorFinding: Sendable {
  package let sides: SidePair
  /// As in a fixture: `output`, `bilstm.h_n`.
  package let name: String
  /// The coarser of what the two sides were computed and are stored in.
  package let arithmetic: Arithmetic
  package let rule: ToleranceRule
  package let difference: TensorDifference
  private let actual: Tensor
  private let expected: Tensor

  init(
    _ sides: SidePair, _ name: String, _ arithmetic: Arithmetic, _ rule: ToleranceRule,
    of actual: Tensor, from expected: Tensor, within limits: Limits
  ) {
    self.sides = sides
    self.name = name
    self.arithmetic = arithmetic
    self.rule = rule
    self.actual = actual
    self.expected = expected
    difference = TensorDifference(of: actual, from: expected, within: limits)
  }

  /// What `torch.testing` would have said.
  ///
  /// - Complexity: O(elements).
  package var torchAgrees: Bool {
    TensorDifference(of: actual, from: expected, within: .torch(arithmetic)).agrees
  }
}

/// One identity of the layout contract, checked.
package struct LayoutFinding: Sendable {
  package let side: Side
  /// As code, with the names that the tensors have in the fixture.
  package let statement: String
  /// Of the two sides of the identity.
  package let difference: TensorDifference
  /// nil for the padding.
  package let direction: Direction?
  /// What explains a violation, where something does.
  package let mistake: String?

  package var holds: Bool { difference.agrees }

  /// Whether it could tell one place from another: zeros, NaN and infinity are alike wherever
  /// they stand. (The padding is zero.)
  package var canFail: Bool { direction == nil || difference.measured.nonZeroCount > 0 }
}

extension Findings {
  /// The subject's tensors beside the reference's.
  package var ofSubject: [TensorFinding] { comparisons.filter(\.sides.isVerdict) }

  /// Elements of which reference and oracle say that they are finite.
  var comparableElements: Int {
    comparisons.filter(\.sides.isOfReference)
      .reduce(0) { $0 + $1.difference.measured.finiteCount }
  }

  /// Of the tensors that the subject is held to, the smallest share that can be
  /// judged.
  var leastJudgedShare: Double {
    ofSubject.map { finding in
      if case .noise(let noise) = finding.difference.limits { noise.judgedShare } else { 1 }
    }.min() ?? 1
  }

  /// Whether the subject and the oracle agree, and the reference with neither.
  package var isReferenceAtFault: Bool {
    !agree(\.isOfReference)
      && agree { $0.actual.isSubject && $0.expected == .oracle }
  }

  func agree(_ isMeant: (SidePair) -> Bool) -> Bool {
    comparisons.filter { isMeant($0.sides) }.allSatisfy(\.difference.agrees)
  }
}
