/// A tensor, an argument or a manifest's key that is wrong in itself or
/// contradicts another.
package struct InvalidValue: Error, Equatable, CustomStringConvertible {
  /// The tensor, argument or key, by the name that it has in a fixture.
  package let name: String
  package let expected: String
  package let found: String

  package init(_ name: String, expected: String, found: String) {
    self.name = name
    self.expected = expected
    self.found = found
  }

  package var description: String { "\(name): expected \(expected), found \(found)" }
}
