/// One of the sides that are compared. The raw values are the words that reports use.
package enum Side: String, Sendable {
  /// What PyTorch gave, which the fixture holds.
  case reference
  /// What the specification computes, in doubles.
  case oracle
  /// The subject, where it is our engine, or a forward pass in its place.
  case engine
  /// The subject, where it is outputs that a user supplied.
  case outputs
  /// What follows from a side's own results, each step from the one before it.
  case ownSteps = "own steps"

  package var isSubject: Bool { self == .engine || self == .outputs }

  /// The form of a verb that goes with the side's name: "the engine does", "the outputs do".
  package func verb(_ singular: String, _ plural: String) -> String {
    self == .outputs ? plural : singular
  }
}

/// Two sides of a case, as they are compared with each other.
package struct SidePair: Sendable, Equatable {
  package let actual: Side
  package let expected: Side

  package init(_ actual: Side, against expected: Side) {
    self.actual = actual
    self.expected = expected
  }

  /// Whether this is the subject against the reference, or against its own steps where rounding
  /// has driven the two apart: the comparisons that decide whether the case passes.
  package var isVerdict: Bool { actual.isSubject && expected != .oracle }
  /// Whether this is the reference against the oracle, or against its own steps: the comparisons
  /// that tell whether the reference follows from the weights.
  package var isOfReference: Bool { actual == .reference }
  /// Whether the subject is compared with what the weights give, and not with the reference.
  var isOfSubjectAlone: Bool { actual.isSubject && expected != .reference }
  /// Whether two sides are compared with each other, and not one with its own steps.
  package var isOfTwo: Bool { expected != .ownSteps }
}
