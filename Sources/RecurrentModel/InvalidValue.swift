/// A tensor, an argument or a key of a manifest that is wrong by itself or contradicts another,
/// as a sentence: "arguments.hidden_size: expected 1 to 2^24, found 0".
package struct InvalidValue: Error, Equatable, CustomStringConvertible {
  /// The name that the tensor, argument or key has in a fixture.
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
