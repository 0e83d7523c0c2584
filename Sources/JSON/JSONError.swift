/// Where a text stops being JSON: "line 2, column 8: expected a JSON value, found 'nonsense'".
package struct JSONError: Error, Equatable, CustomStringConvertible {
  /// Counted from 1.
  package let line: Int
  /// Counted from 1, in bytes of UTF-8.
  package let column: Int
  package let expected: String
  package let found: String

  /// The line and the column, in words.
  package var place: String { "line \(line), column \(column)" }

  package var description: String { "\(place): expected \(expected), found \(found)" }
}
