package import ParityFixtures

/// What a trace found of one stage.
package struct StageResult: Sendable {
  package enum Status: String, Sendable, CaseIterable {
    /// Right up to rounding.
    case agrees
    /// The first stage that is wrong, though what it depends on is right.
    case startsHere = "starts here"
    /// One more that is wrong by itself.
    case startsHereToo = "starts here too"
    /// Off, but by no more than what it depends on explains.
    case follows
    /// Off; what it depends on is not known.
    case differs
    /// Rounding is amplified so much that nothing can be said.
    case lost
    /// The implementation has no tensor of the stage.
    case missing
    /// A tensor of the stage can't be read.
    case unreadable
  }

  package let stage: RecordedStage
  package var status: Status
  /// Of each value that the stage gives.
  package let values: [ValueResult]
  /// What is known of the mistake where it starts here; each a clause.
  package var symptoms: [String] = []
  /// The names of stages before it that are missing, so that it may only follow from one of them:
  /// where it is wrong by itself as far as is known.
  package var unknownBefore: [String] = []
  /// The stage computed again by itself; nil where that was not done.
  package var replay: StageReplay?

  /// Whether it is wrong by itself.
  package var isStart: Bool { status == .startsHere || status == .startsHereToo }

  /// The value that is off most; nil where none is measured.
  package var worst: ValueResult? {
    let measured = values.filter { $0.tally != nil }
    let wrong = measured.filter { !$0.agrees }
    return (wrong.isEmpty ? measured : wrong).max { $0.size < $1.size }
  }
}

extension ValueResult {
  /// How far it is off, for an order among values of one stage.
  fileprivate var size: Double {
    guard let tally else { return -1 }
    if tally.nonFiniteMismatches > 0 { return .infinity }
    return hasSigma ? tally.rmsZ : tally.relativeRMS
  }
}
