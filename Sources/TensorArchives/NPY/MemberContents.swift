import Platform
import TensorCore

/// What a file, or a member of a ZIP file, will hold: some bytes, and perhaps the elements
/// of a tensor behind them. The elements are not copied.
struct MemberContents {
  private let head: Data
  private let tensor: Tensor?

  init(_ head: Data, elementsOf tensor: Tensor? = nil) {
    self.head = head
    self.tensor = tensor
  }

  /// The number of bytes.
  var count: Int { head.count + (tensor.map { $0.count * $0.elementType.byteCount } ?? 0) }

  /// Hands out all bytes from the first to the last, in one piece or two.
  ///
  /// - Throws: what `body` throws.
  func forEachPiece(
    _ body: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
  ) throws(ArchiveError) {
    try head.withUnsafeBytes { bytes in
      Result { () throws(ArchiveError) in try body(bytes) }
    }.get()
    guard let tensor else { return }
    try tensor.withUnsafeBytes { bytes in
      Result { () throws(ArchiveError) in try body(bytes) }
    }.get()
  }

  /// The checksum of all bytes.
  ///
  /// - Complexity: O(bytes).
  var checksum: CRC32 {
    var checksum = CRC32()
    try? forEachPiece { checksum.update($0) }
    return checksum
  }
}
