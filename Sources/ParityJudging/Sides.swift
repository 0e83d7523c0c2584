/// Whose results are compared. The words are those of reports.
package enum Side: String, Sendable {
  /// PyTorch's, which the fixture holds.
  case reference
  /// The specification's, in doubles.
  case oracle
  /// The subject, where our engine is what is judged.
  case engine
  /// The subject, where outputs that a user supplied are.
  case outputs

  package var isSubject: Bool { self == .engine || self == .outputs }

  /// The one of two forms that goes with it: "the engine does", "the outputs do".
  package func verb(_ singular: String, _ plural: String) -> String {
    self == .outputs ? plural : singular
  }
}

/// Two sides of a case, as they are compared.
package struct SidePair: Sendable, Equatable {
  package let actual: Side
  package let expected: Side

  package init(_ actual: Side, against expected: Side) {
    self.actual = actual
    self.expected = expected
  }

  /// The comparison that the case is about.
  package var isVerdict: Bool { actual.isSubject && expected == .reference }
  /// Whether the reference follows from the weights.
  package var isOfReference: Bool { actual == .reference && expected == .oracle }
}
