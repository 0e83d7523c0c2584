import Platform

/// Reads little-endian fields out of the bytes of a file, one after the other. To read
/// past the end of the bytes is an error, and never a trap.
struct ByteReader {
  let bytes: Data
  /// Where the next field starts, in bytes from the first one.
  private(set) var offset: Int

  init(_ bytes: Data, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  /// The number of bytes that are not read yet.
  var remaining: Int { max(0, bytes.count - offset) }

  /// Reads an unsigned number of as many bytes as `type` has.
  ///
  /// - Parameter what: the name of the field, for errors.
  /// - Throws: `ArchiveError.Reason` at the end of the bytes, and for 2^63 or more.
  mutating func integer<Integer: FixedWidthInteger & UnsignedInteger>(
    _ type: Integer.Type, of what: String
  ) throws(ArchiveError.Reason) -> Int {
    let field = try take(MemoryLayout<Integer>.size, of: what)
    let value = field.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let value = Int(exactly: value) else {
      throw .corrupt(what, expected: "at most \(Int.max)", found: "\(value)")
    }
    return value
  }

  /// Reads a signature of four bytes.
  ///
  /// - Throws: `ArchiveError.Reason` where it is another one.
  mutating func expect(_ signature: UInt32, of what: String) throws(ArchiveError.Reason) {
    let found = try integer(UInt32.self, of: what)
    guard found == signature else {
      throw .corrupt(
        what, expected: "the signature " + hexadecimal(UInt64(signature), digits: 8),
        found: hexadecimal(UInt64(found), digits: 8))
    }
  }

  /// Passes over `count` bytes.
  ///
  /// - Throws: `ArchiveError.Reason` where there are fewer.
  mutating func skip(_ count: Int, of what: String) throws(ArchiveError.Reason) {
    _ = try take(count, of: what)
  }

  /// Reads the next `count` bytes, without a copy of them.
  ///
  /// - Throws: `ArchiveError.Reason` where there are fewer.
  mutating func take(_ count: Int, of what: String) throws(ArchiveError.Reason) -> Data {
    guard count <= bytes.count - offset else {
      throw .truncated(what, expectedBytes: count, foundBytes: remaining)
    }
    let start = bytes.startIndex + offset
    offset += count
    return bytes[start..<start + count]
  }
}

extension Data {
  /// The first eight bytes for an error message, as text where all of them are printable
  /// ASCII, and else in hexadecimal.
  var printablePrefix: String {
    let start = prefix(8)
    if start.isEmpty { return "an empty file" }
    if start.allSatisfy({ (0x20..<0x7F).contains($0) }) {
      return "\"" + String(decoding: start, as: UTF8.self) + "\""
    }
    return "bytes " + start.map { hexadecimal(UInt64($0), digits: 2) }.joined(separator: " ")
  }
}

/// A number in hexadecimal, with zeros before it up to so many digits.
func hexadecimal(_ value: UInt64, digits: Int) -> String {
  let text = String(value, radix: 16)
  return String(repeating: "0", count: max(0, digits - text.count)) + text
}
