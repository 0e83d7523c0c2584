import CZlib
import Platform

/// zlib's CRC-32, a checksum of 32 bits, of data that comes in pieces.
///
/// ```swift
/// var checksum = CRC32()
/// checksum.update("12345".utf8)
/// checksum.update("6789".utf8)
/// checksum.description  // "cbf43926"
/// ```
package struct CRC32: Sendable, Equatable {
  /// The checksum of all that was given so far; 0 for nothing.
  package private(set) var value: UInt32 = 0

  package init() {}

  /// A checksum that a file states.
  init(_ value: UInt32) { self.value = value }

  /// The checksum of these bytes.
  init(of bytes: UnsafeRawBufferPointer) { update(bytes) }

  /// The checksum of these bytes.
  init(of bytes: Data) { bytes.withUnsafeBytes { update($0) } }

  /// - Throws: `ArchiveError.Reason` where `found` is another checksum than this, which the
  ///   file states.
  func verify(_ found: CRC32) throws(ArchiveError.Reason) {
    guard found == self else {
      throw .corrupt("CRC-32", expected: description, found: found.description)
    }
  }

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
