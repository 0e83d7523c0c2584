import ArchiveComparison
package import RecurrentModel
package import TensorComparison
package import TensorCore

/// All that was measured in a case.
///
/// ```swift
/// let findings = judge.judge(parityCase).findings
/// for finding in findings.ofSubject where !finding.difference.agrees {
///   print(finding.name, finding.difference.mismatched.count)
/// }
/// ```
///
/// It does not say what the measurements come to: whether the case passes or fails is `Verdict`'s
/// to decide.
package struct Findings: Sendable {
  /// Each tensor of each pair of sides, compared.
  package var comparisons: [TensorFinding] = []
  /// The identities of the layout contract, those of the reference first.
  package var layout: [LayoutFinding] = []
  /// How the reference breaks the layout contract by rounding alone; nil where it does not.
  package var layoutRounding: LayoutRounding?
  /// The properties of each recurrent module that our engine, or a forward pass in its place, has
  /// run.
  package var properties: [PropertyFinding] = []
  /// Under the noise rule, how many steps a direction reads before rounding is amplified so much
  /// that nothing can be judged; nil where everything can be.
  package var agreeingSteps: Int?
  /// What is wrong with the elements that no comparison judges, as sentences.
  package var unjudgedFaults: [String] = []
  /// What speaks against calling differences the rounding of a coarser arithmetic, as sentences.
  package var coarsenessFaults: [String] = []
  /// How many sequences of the batch the rounding noise was measured on, for all of them; nil
  /// where it was measured on every one.
  package var measuredSequences: Int?
  /// The oracle beside the kernels that the right results come from, in modules that are too
  /// large for it.
  package var oracleSamples: [OracleSample] = []

  package init() {}
}

/// One tensor of one pair of sides, compared.
package struct TensorFinding: Sendable {
  package let sides: SidePair
  /// The result's name, as in a fixture: `output`, `bilstm.h_n`.
  package let name: String
  /// The coarsest of what the two sides were computed in and of what the reference's tensor is
  /// stored in.
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

  /// The same comparison of another tensor in the place of the actual one.
  func withActual(_ other: Tensor) -> TensorFinding {
    TensorFinding(
      sides, name, arithmetic, rule, of: other, from: expected, within: difference.limits)
  }

  /// The two numbers that are compared at a row-major offset.
  func elements(at offset: Int) -> (actual: Double, expected: Double) {
    (actual.double(at: offset), expected.double(at: offset))
  }

  /// The order of its axes in which the actual tensor agrees, where that moves elements and leaves
  /// the shape; nil where there is none.
  ///
  /// - Complexity: O(rank! · elements), anew at each access.
  var rearrangement: Rearrangement? {
    Rearrangement.found(actual: actual, expected: expected, within: .torch(arithmetic))
  }

  /// Whether the tensors agree by the defaults of `torch.testing.assert_close`, whatever the
  /// case's own rule is.
  ///
  /// - Complexity: O(elements), anew at each access.
  package var torchAgrees: Bool {
    TensorDifference(of: actual, from: expected, within: .torch(arithmetic)).agrees
  }
}

/// One identity of the layout contract, checked on the tensors of one side.
package struct LayoutFinding: Sendable {
  package let side: Side
  /// The identity as code, with the names that the tensors have in the fixture:
  /// `bilstm.output[:, -1, :6] == bilstm.h_n[0]`.
  package let statement: String
  /// How far the two sides of the identity differ.
  package let difference: TensorDifference
  /// The direction whose state is compared; nil for the identity of the padding.
  package let direction: Direction?
  /// The known mistake that explains why the identity is violated, as a sentence; nil where it
  /// holds, and where no known mistake explains it.
  package let mistake: String?

  package var holds: Bool { difference.agrees }

  /// Whether the elements could tell that they stand in the wrong place. Zeros, NaN and infinity
  /// look the same wherever they stand; a direction that has nothing else proves nothing. The
  /// padding is to be zero, and so always tells.
  package var canFail: Bool { direction == nil || difference.measured.nonZeroCount > 0 }
}

extension Findings {
  /// The comparisons of the subject with the reference, which decide whether the case passes.
  package var ofSubject: [TensorFinding] { comparisons.filter(\.sides.isVerdict) }

  /// How many elements are finite in both the reference and the oracle.
  var comparableElements: Int {
    comparisons.filter(\.sides.isOfReference)
      .reduce(0) { $0 + $1.difference.measured.finiteCount }
  }

  /// The share of a tensor's elements in which the subject can be compared with the reference,
  /// the smallest over the tensors; 1 unless rounding is amplified too much.
  package var comparedShare: Double {
    ofSubject.filter(\.sides.isOfTwo).map { finding in
      if case .noise(let noise) = finding.difference.limits { noise.judgedShare } else { 1 }
    }.min() ?? 1
  }

  /// The same, with the elements that both sides can be held to by their own steps.
  package var leastJudgedShare: Double {
    ofSubject.filter(\.sides.isOfTwo).map { finding in
      guard case .noise(let noise) = finding.difference.limits else { return 1 }
      let steps = comparisons.filter { $0.name == finding.name && !$0.sides.isOfTwo }
        .compactMap { finding in
          if case .noise(let noise) = finding.difference.limits { noise.isJudged } else { nil }
        }
      guard steps.count == 2 else { return noise.judgedShare }
      return zip(noise.isJudged, zip(steps[0], steps[1])).share { $0 || $1.0 && $1.1 }
    }.min() ?? 1
  }

  /// Whether the subject and the oracle agree with each other, and the reference does not follow
  /// from the weights.
  package var isReferenceAtFault: Bool {
    !agree(\.isOfReference)
      && agree(\.isOfSubjectAlone)
  }

  /// Whether all comparisons of some pairs of sides agree.
  func agree(_ isMeant: (SidePair) -> Bool) -> Bool {
    comparisons.filter { isMeant($0.sides) }.allSatisfy(\.difference.agrees)
  }
}

extension Sequence {
  /// The share of the elements that satisfy a condition; 1 where there are no elements.
  fileprivate func share(_ holds: (Element) -> Bool) -> Double {
    let (count, all) = reduce((0, 0)) { ($0.0 + (holds($1) ? 1 : 0), $0.1 + 1) }
    return all == 0 ? 1 : Double(count) / Double(all)
  }
}
