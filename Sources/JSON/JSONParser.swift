/// Reads JSON as RFC 8259 defines it, and nothing beyond it. A key that stands twice in an
/// object is an error, since readers disagree on which of the two counts: Foundation's decoder
/// takes the first without a word, Python's the last.
///
/// ```swift
/// let value = try JSONParser.parse(#"{"rtol": 1e-5}"#)  // .object(["rtol": .number(1e-05)])
/// ```
package struct JSONParser {
  private let bytes: [UInt8]
  /// The number of bytes that are read.
  private var position = 0

  /// The most levels of arrays and objects. No manifest has as many; without a bound, a
  /// hostile one would exhaust the stack.
  private static let largestDepth = 64

  private init(_ text: String) { bytes = Array(text.utf8) }

  /// - Throws: `JSONError`, with line and column, for text that is not one JSON value, that
  ///   has a key twice, or that nests more than 64 levels deep.
  /// - Complexity: O(bytes of the text).
  package static func parse(_ text: String) throws(JSONError) -> JSONValue {
    var parser = JSONParser(text)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.next == nil else { throw parser.error("the end of the text") }
    return value
  }

  /// The next byte; nil at the end.
  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  /// Passes over a character where it is the next one, and says whether it was.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < Self.largestDepth else { throw error("at most \(Self.largestDepth) levels") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case let byte? where "-0123456789".utf8.contains(byte): return try number()
    default:
      for (word, value) in [
        ("true", JSONValue.boolean(true)), ("false", .boolean(false)), ("null", .null),
      ]
      where bytes[position...].starts(with: word.utf8) {
        position += word.utf8.count
        return value
      }
      throw error("a JSON value")
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> [String: JSONValue] {
    var values: [String: JSONValue] = [:]
    try items(until: "}") { parser throws(JSONError) in
      parser.skipSpace()
      let start = parser.position
      guard parser.next == UInt8(ascii: "\"") else { throw parser.error("a key in quotes") }
      let key = try parser.string()
      parser.skipSpace()
      guard parser.take(":") else { throw parser.error("a colon") }
      guard values.updateValue(try parser.value(depth: depth + 1), forKey: key) == nil else {
        parser.position = start
        throw parser.error("every key once")
      }
    }
    return values
  }

  private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
    var values: [JSONValue] = []
    try items(until: "]") { parser throws(JSONError) in
      values.append(try parser.value(depth: depth + 1))
    }
    return values
  }

  /// Reads from an opening bracket to its closing one, with commas between the items.
  private mutating func items(
    until close: Unicode.Scalar, item: (inout JSONParser) throws(JSONError) -> Void
  ) throws(JSONError) {
    position += 1
    skipSpace()
    if take(close) { return }
    repeat {
      try item(&self)
      skipSpace()
    } while take(",")
    guard take(close) else { throw error("a comma or \(close)") }
  }

  private mutating func string() throws(JSONError) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw error("no control character in a string") }
      if byte == UInt8(ascii: "\\") {
        text += try escape()
      } else {
        text.append(byte)
        position += 1
      }
    }
    guard take("\"") else { throw error("the end of a string") }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func escape() throws(JSONError) -> [UInt8] {
    let start = position
    position += 1
    guard let byte = next else { throw error("an escape") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var units = [try hexadecimal()]
      if UTF16.isLeadSurrogate(units[0]), take("\\"), take("u") { units.append(try hexadecimal()) }
      if let text = String(validating: units, as: UTF16.self) { return Array(text.utf8) }
    default: break
    }
    position = start
    throw error("an escape that JSON knows")
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt16 {
    let digits = bytes[position...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw error("four hexadecimal digits") }
    position += 4
    return unit
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    let isWhole = skipNumber()
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard isWhole, next.map(Self.delimiters.contains) ?? true, let value = Double(text) else {
      position = start
      throw error("a number")
    }
    guard value.isFinite else {
      position = start
      throw error("a number that a double can hold")
    }
    if let integer = Int(text) { return .integer(integer) }
    return .number(value)
  }

  /// Passes over a number (RFC 8259, section 6), and says whether a whole one was there: a minus
  /// or not, digits without a leading zero, a fraction or not, an exponent or not.
  private mutating func skipNumber() -> Bool {
    _ = take("-")
    if !take("0") {
      guard skipDigits() else { return false }
    }
    if take("."), !skipDigits() { return false }
    if take("e") || take("E") {
      _ = take("+") || take("-")
      return skipDigits()
    }
    return true
  }

  /// Passes over digits, and says whether there was one.
  private mutating func skipDigits() -> Bool {
    let start = position
    while let byte = next, byte >= 0x30, byte <= 0x39 { position += 1 }
    return position > start
  }

  private static let delimiters = Set(",]} \t\r\n".utf8)

  private func error(_ expected: String) -> JSONError {
    let before = bytes[..<position]
    let line = before.count { $0 == 0x0A } + 1
    let column = before.reversed().prefix { $0 != 0x0A }.count + 1
    let rest = String(decoding: bytes[position...].prefix(40), as: UTF8.self)
    return JSONError(
      line: line, column: column, expected: expected,
      found: rest.isEmpty ? "the end" : "'\(rest.prefix { !$0.isNewline }.prefix(16))'")
  }
}
