import Synchronization

/// Verifies the checksum of data that is read in pieces, in any order and from any thread.
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
    let checksum = CRC32(of: bytes)
    pieces.withLock { $0[offset] = (checksum, bytes.count) }
  }

  /// Compares the checksum of all pieces with the file's. Where the pieces do not make up all of
  /// the data, nothing is compared.
  ///
  /// - Parameter count: the number of bytes of the data.
  ///
  /// - Throws: `ArchiveError.Reason` where the checksum is of other bytes.
  func verify(count: Int) throws(ArchiveError.Reason) {
    var (found, end) = (head, 0)
    let sorted = pieces.withLock { $0 }.sorted { $0.key < $1.key }
    for (offset, piece) in sorted where offset == end {
      found.append(piece.checksum, of: piece.count)
      end += piece.count
    }
    if end == count { try expected.verify(found) }
  }
}
