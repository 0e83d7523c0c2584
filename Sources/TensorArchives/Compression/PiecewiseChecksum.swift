import Synchronization

/// Holds data that is read in pieces, in any order, against a checksum of the whole.
final class PiecewiseChecksum: Sendable {
  private let head: CRC32
  private let expected: CRC32
  private let pieces = Mutex<[Int: (checksum: CRC32, count: Int)]>([:])

  /// - Parameters:
  ///   - head: the checksum of what the file's checksum is of too, and stands before the
  ///     data.
  ///   - expected: the file's checksum, of both.
  init(head: CRC32, expected: CRC32) {
    self.head = head
    self.expected = expected
  }

  /// Notes a piece of the data.
  ///
  /// - Parameter offset: where it starts, in bytes from the start of the data.
  func add(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    var checksum = CRC32()
    checksum.update(bytes)
    pieces.withLock { [checksum] in $0[offset] = (checksum, bytes.count) }
  }

  /// The checksums that were expected and found, where these differ. Nil where they are the
  /// same, and where the pieces that were noted do not make up the `count` bytes of the
  /// data.
  func contradiction(of count: Int) -> (expected: CRC32, found: CRC32)? {
    pieces.withLock { pieces in
      var (found, end) = (head, 0)
      for (offset, piece) in pieces.sorted(by: { $0.key < $1.key }) where offset == end {
        found.append(piece.checksum, of: piece.count)
        end += piece.count
      }
      return end == count && found.value != expected.value ? (expected, found) : nil
    }
  }
}
