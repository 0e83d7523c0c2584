import CZlib

/// zlib's CRC-32, a checksum of 32 bits, of data that comes in pieces.
package struct CRC32: Sendable {
  /// The checksum of all that was given so far; 0 for nothing.
  package private(set) var value: UInt32 = 0

  package init() {}

  /// A checksum that a file states.
  init(_ value: UInt32) { self.value = value }

  /// Goes on with more data.
  ///
  /// - Complexity: O(bytes).
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    value = UInt32(
      truncatingIfNeeded: crc32_z(
        UInt(value), bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count))
  }

  /// Goes on with more data, which is copied first where it does not stand in one piece.
  package mutating func update(_ bytes: some Sequence<UInt8>) {
    Array(bytes).withUnsafeBytes { update($0) }
  }

  /// Goes on with `count` bytes of which the checksum alone is known.
  ///
  /// - Complexity: O(log count).
  mutating func append(_ other: CRC32, of count: Int) {
    value = UInt32(
      truncatingIfNeeded: crc32_combine(UInt(value), UInt(other.value), numericCast(count)))
  }

  /// The checksum in eight hexadecimal digits.
  package var description: String { hexadecimal(UInt64(value), digits: 8) }
}
