/// A tensor, an argument or a manifest's key that is wrong in itself or
/// contradicts another.
package struct InvalidValue: Error, Equatable, CustomStringConvertible {
  /// The tensor, argument or key, by the name that it has in a fixture.
  package let subject: String
  package let expected: String
  package let found: String

  package init(_ subject: String, expected: String, found: String) {
    self.subject = subject
    self.expected = expected
    self.found = found
  }

  package var description: String { "\(subject): expected \(expected), found \(found)" }
}
