import TensorCore

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What a file, or a member of one, will hold: some bytes, and behind them the
/// elements of a tensor, which are not copied.
struct MemberContents {
  private let head: Data
  private let tensor: Tensor?

  init(_ head: Data, elementsOf tensor: Tensor? = nil) {
    self.head = head
    self.tensor = tensor
  }

  /// In bytes.
  var count: Int { head.count + (tensor.map { $0.count * $0.elementType.byteCount } ?? 0) }

  /// Hands out all bytes, in one piece or two.
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

  var checksum: CRC32 {
    var checksum = CRC32()
    try? forEachPiece { checksum.update($0) }
    return checksum
  }
}
