import Synchronization

/// The checksum of data that is read in pieces, in any order.
final class PiecewiseChecksum: Sendable {
  private let head: CRC32
  private let expected: CRC32
  private let pieces = Mutex<[Int: (checksum: CRC32, count: Int)]>([:])

  /// - Parameters:
  ///   - head: of what stands before the data.
  ///   - expected: of both.
  init(head: CRC32, expected: CRC32) {
    self.head = head
    self.expected = expected
  }

  func add(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    var checksum = CRC32()
    checksum.update(bytes)
    pieces.withLock { [checksum] in $0[offset] = (checksum, bytes.count) }
  }

  /// What was expected and found where they differ; nil where they do not, and
  /// where the pieces do not make up `count` bytes.
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
