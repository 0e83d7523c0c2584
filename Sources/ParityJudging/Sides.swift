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

  /// Whether this is the subject against the reference: the comparison that decides whether the
  /// case passes.
  package var isVerdict: Bool { actual.isSubject && expected == .reference }
  /// Whether this is the reference against the oracle: the comparison that tells whether the
  /// reference follows from the weights.
  package var isOfReference: Bool { actual == .reference && expected == .oracle }
}
