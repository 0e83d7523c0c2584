import CZlib

/// zlib's CRC-32, over data that comes in pieces.
package struct CRC32: Sendable {
  package private(set) var value: UInt32 = 0

  package init() {}

  /// One that a file states.
  init(_ value: UInt32) { self.value = value }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    value = UInt32(
      truncatingIfNeeded: crc32_z(
        UInt(value), bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count))
  }

  package mutating func update(_ bytes: some Sequence<UInt8>) {
    Array(bytes).withUnsafeBytes { update($0) }
  }

  /// Goes on with other data of `count` bytes, whose own checksum is known. O(log count).
  mutating func append(_ other: CRC32, of count: Int) {
    value = UInt32(
      truncatingIfNeeded: crc32_combine(UInt(value), UInt(other.value), numericCast(count)))
  }

  /// As eight hexadecimal digits.
  package var description: String { hexadecimal(UInt64(value), digits: 8) }
}
