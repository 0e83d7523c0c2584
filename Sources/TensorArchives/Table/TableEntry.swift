import Platform
import TensorCore

/// A tensor in the table of contents of a checkpoint.
struct TableEntry: Sendable {
  /// Where elements stand side by side in the file, in row-major order and in the type that is
  /// handed out, so that ranges of them can be read by themselves.
  struct Place: Sendable {
    /// Where the first element starts, in bytes from the file's first.
    let offset: Int
    let isBigEndian: Bool
    /// Of exactly these bytes; nil where the file states none.
    let checksum: CRC32?
    /// Verifies that checksum, or that of more bytes where the file has one.
    let verify: @Sendable () throws(ArchiveError.Reason) -> Void
  }

  let header: TensorHeader
  /// Nil where the elements have to be converted, or put into another order.
  let place: Place?
  /// Reads all elements.
  let load: @Sendable () throws(ArchiveError.Reason) -> Tensor
}

extension TableEntry {
  /// A tensor whose elements stand side by side in a file.
  ///
  /// - Parameters:
  ///   - data: the bytes of the elements, exactly as many as the type and the shape say.
  ///   - offset: where they start, in bytes from the file's first.
  ///   - checksum: of exactly these bytes; nil where the file states none.
  ///   - verify: verifies their checksum, or that of more bytes, where the file has one.
  init(
    _ type: StoredType, _ shape: Shape, data: Data, offset: Int, isBigEndian: Bool = false,
    checksum: CRC32? = nil, verify: @escaping @Sendable () throws(ArchiveError.Reason) -> Void = {}
  ) {
    header = TensorHeader(type.elementType, shape)
    place =
      type == .plain(header.elementType)
      ? Place(offset: offset, isBigEndian: isBigEndian, checksum: checksum, verify: verify) : nil
    load = { () throws(ArchiveError.Reason) in
      try verify()
      return type.tensor(data, shape: shape, isBigEndian: isBigEndian)
    }
  }
}
