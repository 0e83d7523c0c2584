package import ParityFixtures
package import RecurrentModel
package import TensorArchives
package import TensorComparison
package import TensorCore

/// All that judging a case brought to light.
package struct CaseResult: Sendable {
  package let location: CaseLocation
  package var status: CaseStatus
  /// Why it did not pass, or what a pass leaves out ("layout only"); each a
  /// sentence or less.
  package var remarks: [String] = []
  /// The module with its arguments; nil where the fixture could not be read.
  package var configuration: RecurrentConfiguration?
  package var contract: LayoutContract?
  /// In place of a single module.
  package var sequential: Sequential?
  package var comparisons: [TensorFinding] = []
  package var layout: [LayoutFinding] = []
  package var properties: [PropertyFinding] = []
  /// Under the noise rule, how many steps some direction reads before rounding is
  /// amplified so much that nothing can be judged; nil where all is judged.
  package var agreeingSteps: Int?
  /// On how many sequences of the batch the rounding noise was measured, for all of
  /// them; nil for every one.
  package var measuredSequences: Int?
  /// What was judged against the reference.
  package var subject = Failure.Side.engine
  /// The end of what the program printed that made the outputs.
  package var printed = ""
  /// Why it failed, where that was asked.
  package var diagnosis: Diagnosis?

  init(location: CaseLocation, status: CaseStatus, remarks: [String] = []) {
    self.location = location
    self.status = status
    self.remarks = remarks
  }

  /// A case that can't be judged.
  package init(_ location: CaseLocation, _ error: CaseError) {
    let status: CaseStatus =
      switch error {
      case .unreadable: .unreadable
      case .invalid: .invalid
      }
    self.init(location: location, status: status, remarks: ["\(error)"])
  }

  /// A path under which no case could be looked for.
  package init(unreadable error: ArchiveError) {
    self.init(
      location: CaseLocation(name: error.path, path: error.path), status: .unreadable,
      remarks: ["\(error.reason)"])
  }

  /// Elements of which reference and oracle say that they are finite.
  var comparableElements: Int {
    let tensors = comparisons.filter { $0.sides == .referenceAndOracle }
    return tensors.reduce(0) { $0 + $1.difference.measured.finiteCount }
  }

  /// Finite elements of the reference that something was compared with.
  package var comparedElements: Int {
    let tensors = comparisons.filter { $0.sides == .subjectAndReference }
    return tensors.reduce(0) { $0 + $1.difference.measured.finiteCount }
  }
}

/// One tensor of one pair of sides, compared.
package struct TensorFinding: Sendable {
  /// Which forward passes are compared: actual, then expected.
  package enum Sides: Sendable {
    case subjectAndReference
    case referenceAndOracle
    case subjectAndOracle
  }

  package let sides: Sides
  /// `output`, `h_n` or `c_n`.
  package let name: String
  /// The coarser of what the two sides were computed and are stored in.
  package let arithmetic: Arithmetic
  package let rule: ToleranceRule
  package let difference: TensorDifference
  /// What `torch.testing` would have said.
  package let torchAgrees: Bool
}

/// One identity of the layout contract, checked.
package struct LayoutFinding: Sendable {
  package enum Side: String, Sendable {
    case reference
    case engine
  }

  package let side: Side
  package let statement: String
  /// Of the two sides of the identity.
  package let difference: TensorDifference
  /// nil for the padding.
  package let direction: Direction?
  /// What explains a violation, where something does.
  package let mistake: String?

  package var holds: Bool { difference.agrees }

  /// Zeros, NaN and infinity are alike wherever they stand; the padding is zero.
  package var tellsSomething: Bool { direction == nil || difference.measured.nonZeroCount > 0 }
}
