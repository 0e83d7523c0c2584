import TensorCore

extension NPY {
  /// The header of an `.npy` file, which describes the elements that follow it.
  struct Header {
    let elementType: ElementType
    let isBigEndian: Bool
    let isFortranOrdered: Bool
    let shape: Shape

    /// The most bytes of a header's text that are parsed, which is NumPy's own limit.
    static let longestText = 10_000

    /// The most bytes that stand before the elements.
    static let longest = magic.count + 6 + longestText

    /// The most axes that an array has, which is NumPy's own limit.
    static let mostAxes = 64

    /// The types that are read and written, by NumPy's names without the byte order.
    static let types: [String: ElementType] = [
      "f2": .float16, "f4": .float32, "f8": .float64, "i4": .int32, "i8": .int64,
    ]

    /// The element type and the shape alone.
    var tensor: TensorHeader { TensorHeader(elementType, shape) }

    /// Whether the elements are stored in row-major order (C order). Where at most one axis is
    /// longer than 1, Fortran order is the same.
    var isRowMajor: Bool { !isFortranOrdered || shape.axes.count { $0 != 1 } <= 1 }

    /// Reads all that stands between the magic number and the elements.
    ///
    /// - Throws: `ArchiveError.Reason` for another version, and for a header that NumPy
    ///   would not write or of which the type is not read.
    init(from reader: inout ByteReader) throws(ArchiveError.Reason) {
      let major = try reader.integer(UInt8.self, of: "version")
      let minor = try reader.integer(UInt8.self, of: "version")
      guard (1...3).contains(major), minor == 0 else {
        throw .unsupported("version", expected: "1.0, 2.0 or 3.0", found: "\(major).\(minor)")
      }
      let length =
        major == 1
        ? try reader.integer(UInt16.self, of: "header length")
        : try reader.integer(UInt32.self, of: "header length")
      guard length <= Self.longestText else {
        throw .corrupt(
          "header length", expected: "at most \(Self.longestText)", found: "\(length)")
      }
      let bytes = try reader.take(length, of: "header")
      // Latin-1 before version 3.0, UTF-8 since; all that is read below is ASCII.
      try self.init(parsing: String(decoding: bytes, as: UTF8.self))
    }

    /// - Parameter text: a dictionary of Python's with the three keys `descr`,
    ///   `fortran_order` and `shape`, each once, in any order.
    private init(parsing text: String) throws(ArchiveError.Reason) {
      var parser = HeaderParser(text)
      var keys: Set<String> = []
      var type: (ElementType, isBigEndian: Bool)?
      var isFortranOrdered: Bool?
      var shape: Shape?
      func wrongKeys() -> ArchiveError.Reason {
        .corrupt(
          "header", expected: "the keys descr, fortran_order, shape",
          found: keys.sorted().joined(separator: ", "))
      }
      try parser.list("{", "}") { parser throws(ArchiveError.Reason) in
        let key = try parser.string()
        guard keys.insert(key).inserted else { throw parser.unexpected("the key '\(key)' once") }
        try parser.require(":")
        switch key {
        case "descr": type = try Self.elementType(from: &parser)
        case "fortran_order": isFortranOrdered = try parser.boolean()
        case "shape": shape = try Self.shape(from: &parser)
        default: throw wrongKeys()
        }
      }
      try parser.requireEnd()
      guard let type, let isFortranOrdered, let shape else { throw wrongKeys() }
      (elementType, isBigEndian) = type
      self.isFortranOrdered = isFortranOrdered
      self.shape = shape
    }

    private static func elementType(
      from parser: inout HeaderParser
    ) throws(ArchiveError.Reason) -> (ElementType, isBigEndian: Bool) {
      guard !parser.isAtBracket else {
        throw .unsupported(
          "element type", expected: "one number an element", found: "a structured type")
      }
      let name = try parser.string()
      guard let order = name.first, "<>".contains(order), let type = types[String(name.dropFirst())]
      else {
        // NumPy has no bfloat16: what other packages register is saved nameless.
        let guess =
          name.hasSuffix("V2")
          ? "; if it is bfloat16, save it as float32, with the arithmetic in the manifest" : ""
        throw .unsupported(
          "element type",
          expected: types.keys.sorted().map { "<" + $0 }.joined(separator: ", ")
            + " or > in place of <",
          found: "'\(name)'\(guess)")
      }
      return (type, order == ">")
    }

    private static func shape(
      from parser: inout HeaderParser
    ) throws(ArchiveError.Reason) -> Shape {
      var axes: [Int] = []
      try parser.list("(", ")") { parser throws(ArchiveError.Reason) in
        axes.append(try parser.integer())
      }
      guard axes.count <= mostAxes, let shape = Shape(checking: axes) else {
        throw .corrupt(
          "shape", expected: "at most \(mostAxes) sizes whose product fits 63 bits",
          found: axes.count > mostAxes ? "\(axes.count) axes" : Shape.text(axes))
      }
      return shape
    }
  }
}

/// Reads the text of a header from its first character to its last. It knows no more of
/// Python than NumPy writes there: strings without escapes, `True` and `False`, integers.
private struct HeaderParser {
  private let text: String
  /// What is not read yet.
  private var rest: Substring

  init(_ text: String) {
    self.text = text
    rest = text[...]
  }

  /// Reads items with commas between them, and perhaps behind the last, in brackets.
  mutating func list(
    _ open: String, _ close: String,
    item: (inout HeaderParser) throws(ArchiveError.Reason) -> Void
  ) throws(ArchiveError.Reason) {
    try require(open)
    while !take(close) {
      try item(&self)
      guard take(",") else { return try require(close) }
    }
  }

  mutating func string() throws(ArchiveError.Reason) -> String {
    for quote: Character in ["'", "\""] where take(String(quote)) {
      guard let end = rest.firstIndex(of: quote) else {
        rest = text[text.endIndex...]
        throw unexpected("a closing quote")
      }
      defer { rest = rest[end...].dropFirst() }
      return String(rest[..<end])
    }
    throw unexpected("a string")
  }

  mutating func boolean() throws(ArchiveError.Reason) -> Bool {
    if take("True") { return true }
    if take("False") { return false }
    throw unexpected("True or False")
  }

  mutating func integer() throws(ArchiveError.Reason) -> Int {
    skipBlanks()
    let digits = rest.prefix { "-0123456789".contains($0) }
    guard let value = Int(digits) else { throw unexpected("an integer of at most 64 bits") }
    rest = rest[digits.endIndex...]
    _ = take("L")  // as Python 2 wrote long integers
    return value
  }

  /// Whether a tuple or a list comes next.
  var isAtBracket: Bool {
    mutating get {
      skipBlanks()
      return rest.hasPrefix("(") || rest.hasPrefix("[")
    }
  }

  mutating func require(_ word: String) throws(ArchiveError.Reason) {
    guard take(word) else { throw unexpected("'\(word)'") }
  }

  mutating func requireEnd() throws(ArchiveError.Reason) {
    skipBlanks()
    guard rest.isEmpty else { throw unexpected("the end of the header") }
  }

  /// Passes over a word where it is the next one behind blanks, and says whether it was.
  private mutating func take(_ word: String) -> Bool {
    skipBlanks()
    guard rest.hasPrefix(word) else { return false }
    rest = rest.dropFirst(word.count)
    return true
  }

  private mutating func skipBlanks() { rest = rest.drop(while: \.isWhitespace) }

  /// The error that something else stands at the next character.
  func unexpected(_ expected: String) -> ArchiveError.Reason {
    let offset = text.distance(from: text.startIndex, to: rest.startIndex)
    return .corrupt(
      "header, character \(offset)", expected: expected,
      found: rest.isEmpty ? "the end" : "\"\(rest.prefix(12))\"")
  }
}
