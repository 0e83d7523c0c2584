/// A value of Python's, as the header of an `.npy` file is written.
///
/// It is only what NumPy writes there: strings without escapes, integers, booleans, tuples,
/// lists, and dictionaries whose keys are strings.
enum PythonLiteral: Equatable {
  case string(String)
  case integer(Int)
  case boolean(Bool)
  /// A tuple or a list.
  case sequence([PythonLiteral])
  case dictionary([String: PythonLiteral])

  struct SyntaxError: Error, Equatable {
    /// The number of characters before the place that is wrong.
    let offset: Int
    let expected: String
    let found: String
  }

  /// - Throws: `SyntaxError` where `text` is anything else, nests deeper than
  ///   16 levels, or has a key twice.
  init(parsing text: String) throws(SyntaxError) {
    var parser = Parser(scalars: Array(text.unicodeScalars))
    self = try parser.literal(depth: 0)
    try parser.end()
  }
}

/// Reads a literal from its first character to its last.
private struct Parser {
  let scalars: [Unicode.Scalar]
  /// The number of characters that are read.
  var offset = 0

  mutating func literal(depth: Int) throws(PythonLiteral.SyntaxError) -> PythonLiteral {
    skipSpace()
    guard depth < 16 else { throw unexpected("at most 16 levels") }
    switch peek {
    case "'", "\"": return .string(try string())
    case "(": return .sequence(try sequence(until: ")", depth: depth))
    case "[": return .sequence(try sequence(until: "]", depth: depth))
    case "{": return .dictionary(try dictionary(depth: depth))
    case let scalar? where scalar == "-" || ("0"..."9").contains(scalar):
      return .integer(try integer())
    default:
      if take(word: "True") { return .boolean(true) }
      if take(word: "False") { return .boolean(false) }
      throw unexpected("a Python literal")
    }
  }

  private mutating func sequence(
    until close: Unicode.Scalar, depth: Int
  ) throws(PythonLiteral.SyntaxError) -> [PythonLiteral] {
    offset += 1
    var items: [PythonLiteral] = []
    while !take(close) {
      items.append(try literal(depth: depth + 1))
      guard take(",") else {
        try require(close)
        break
      }
    }
    return items
  }

  private mutating func dictionary(
    depth: Int
  ) throws(PythonLiteral.SyntaxError) -> [String: PythonLiteral] {
    offset += 1
    var items: [String: PythonLiteral] = [:]
    while !take("}") {
      let key = try string()
      try require(":")
      guard items.updateValue(try literal(depth: depth + 1), forKey: key) == nil else {
        throw unexpected("the key '\(key)' once")
      }
      guard take(",") else {
        try require("}")
        break
      }
    }
    return items
  }

  private mutating func string() throws(PythonLiteral.SyntaxError) -> String {
    skipSpace()
    guard let quote = peek, quote == "'" || quote == "\"" else { throw unexpected("a string") }
    offset += 1
    var text = String.UnicodeScalarView()
    while let scalar = peek {
      offset += 1
      if scalar == quote { return String(text) }
      // NumPy escapes only what its element types never need.
      if scalar == "\\" { throw unexpected("a string without escapes") }
      text.append(scalar)
    }
    throw unexpected("a closing quote")
  }

  private mutating func integer() throws(PythonLiteral.SyntaxError) -> Int {
    let start = offset
    if peek == "-" { offset += 1 }
    while let scalar = peek, ("0"..."9").contains(scalar) { offset += 1 }
    let digits = String(String.UnicodeScalarView(scalars[start..<offset]))
    guard let value = Int(digits) else {
      offset = start
      throw unexpected("an integer of at most 64 bits")
    }
    if peek == "L" { offset += 1 }  // as Python 2 wrote long integers
    return value
  }

  mutating func end() throws(PythonLiteral.SyntaxError) {
    skipSpace()
    guard peek == nil else { throw unexpected("the end of the header") }
  }

  /// The next character; nil at the end.
  private var peek: Unicode.Scalar? { offset < scalars.count ? scalars[offset] : nil }

  private mutating func skipSpace() {
    while let scalar = peek, scalar == " " || scalar == "\n" || scalar == "\t" || scalar == "\r" {
      offset += 1
    }
  }

  /// Reads a character where it is the next one behind blanks, and says whether it was.
  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    skipSpace()
    guard peek == scalar else { return false }
    offset += 1
    return true
  }

  private mutating func take(word: String) -> Bool {
    let word = Array(word.unicodeScalars)
    guard scalars[offset...].starts(with: word) else { return false }
    offset += word.count
    return true
  }

  private mutating func require(_ scalar: Unicode.Scalar) throws(PythonLiteral.SyntaxError) {
    guard take(scalar) else { throw unexpected("'\(scalar)'") }
  }

  private func unexpected(_ expected: String) -> PythonLiteral.SyntaxError {
    let rest = String(String.UnicodeScalarView(scalars[offset...].prefix(12)))
    return .init(
      offset: offset, expected: expected, found: rest.isEmpty ? "the end" : "\"\(rest)\"")
  }
}
