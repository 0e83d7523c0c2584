import Platform

/// Reads the fields of a message in protobuf's binary format, one after the other.
///
/// Each field starts with a number of variable length (seven bits a byte, the lowest first, a
/// byte of 128 or more for all but the last): the field's number times eight, plus the kind of
/// what follows. Which field means what, only the reader's caller knows.
///
/// Source: "Encoding" in protobuf's documentation.
struct ProtobufReader {
  /// What a field holds.
  enum Value {
    case number(UInt64)
    case eightBytes(Data)
    /// A text, a message, or numbers side by side.
    case bytes(Data)
    case fourBytes(Data)
  }

  private var reader: ByteReader
  /// What the message is, for errors.
  private let what: String

  init(_ bytes: Data, of what: String) {
    reader = ByteReader(bytes)
    self.what = what
  }

  /// Reads the next field; nil at the end.
  ///
  /// - Throws: `ArchiveError.Reason` where the message is cut off, or is none.
  mutating func next() throws(ArchiveError.Reason) -> (field: Int, value: Value)? {
    guard !isAtEnd else { return nil }
    let key = try number()
    let field = Int(key >> 3)
    guard field > 0, field < 1 << 29 else { throw wrong("a field", "the number \(field)") }
    switch key & 7 {
    case 0: return (field, .number(try number()))
    case 1: return (field, .eightBytes(try reader.take(8, of: what)))
    case 2:
      guard let count = Int(exactly: try number()) else { throw wrong("a length", "2^63 or more") }
      return (field, .bytes(try reader.take(count, of: what)))
    case 5: return (field, .fourBytes(try reader.take(4, of: what)))
    default: throw wrong("a field of the kinds 0, 1, 2 or 5", "kind \(key & 7)")
    }
  }

  var isAtEnd: Bool { reader.remaining == 0 }

  /// Reads a number of variable length.
  mutating func number() throws(ArchiveError.Reason) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      let byte = UInt64(try reader.integer(UInt8.self, of: what))
      guard shift < 63 || byte < 2 else { break }
      value |= (byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw wrong("a number of at most 64 bits", "more")
  }

  private func wrong(_ expected: String, _ found: String) -> ArchiveError.Reason {
    .corrupt(what, expected: expected, found: found)
  }
}

extension ProtobufReader.Value {
  /// A text, which is repaired where it is no UTF-8; empty for another kind of value.
  var text: String { String(decoding: message, as: UTF8.self) }

  /// The bytes of a message; none for another kind of value.
  var message: Data {
    if case .bytes(let data) = self { data } else { Data() }
  }

  /// A signed number; 0 for another kind of value.
  var integer: Int {
    if case .number(let number) = self { Int(truncatingIfNeeded: number) } else { 0 }
  }
}
