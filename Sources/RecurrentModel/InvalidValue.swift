/// A tensor, an argument or a key of a manifest that is wrong by itself or contradicts another,
/// as a sentence: "arguments.hidden_size: expected 1 to 2^24, found 0".
package struct InvalidValue: Error, Equatable, CustomStringConvertible {
  /// The name that the tensor, argument or key has in a fixture.
  package let name: String
  package let expected: String
  package let found: String
  /// What seems to have happened, and what to do about it: "did you mean h_n?". It is nil where
  /// what was expected says all.
  package let remedy: String?

  package init(_ name: String, expected: String, found: String, remedy: String? = nil) {
    self.name = name
    self.expected = expected
    self.found = found
    self.remedy = remedy
  }

  package var description: String {
    "\(name): expected \(expected), found \(found)" + (remedy.map { "; " + $0 } ?? "")
  }

  /// The same error with a remedy in place of its own; with its own where it is nil.
  package func advising(_ remedy: String?) -> InvalidValue {
    InvalidValue(name, expected: expected, found: found, remedy: remedy ?? self.remedy)
  }

  /// The same error about a part of something, such as a module of a chain, whose name comes
  /// first.
  package func within(_ whole: String) -> InvalidValue {
    InvalidValue("\(whole): \(name)", expected: expected, found: found, remedy: remedy)
  }
}
