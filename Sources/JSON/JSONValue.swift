/// Any JSON value. Objects keep all of their keys, so that one which no reader knows can be
/// reported.
package enum JSONValue: Equatable, Sendable {
  case null
  case boolean(Bool)
  /// A number without a fraction or an exponent that fits an `Int`.
  case integer(Int)
  /// Any other number.
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// The value in an error message: short, whatever its size.
  package var summary: String {
    switch self {
    case .null, .boolean, .integer, .number: text
    case .string(let value): "\"\(value.prefix(60))\""
    case .array: "an array"
    case .object: "an object"
    }
  }
}
