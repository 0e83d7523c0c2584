import Platform
import TensorCore

/// An `.npy` file, or one that is packed by gzip, as an archive: it holds one tensor, whose
/// name is empty, and no manifest.
struct NPYFile: TensorArchive {
  let path: String
  private let isCompressed: Bool
  /// The file as it stands, perhaps packed.
  private let bytes: Data

  init(path: String, isCompressed: Bool) throws(ArchiveError) {
    self.path = path
    self.isCompressed = isCompressed
    bytes = try FileBytes.read(path)
  }

  var tensorNames: [String] { [""] }

  func manifest() -> String? { nil }

  func tensor(named name: String) throws(ArchiveError) -> Tensor {
    try requireMember(name)
    return try NPY.decode(isCompressed ? unpacked() : bytes, path: path)
  }

  func header(of name: String) throws(ArchiveError) -> TensorHeader {
    try requireMember(name)
    let start =
      isCompressed ? Inflate.prefix(NPY.Header.longest, of: bytes, from: .gzip) : bytes
    var reader = ByteReader(start, path: path)
    return try NPY.header(
      from: &reader, fileSize: isCompressed ? unpackedSize() : bytes.count
    ).tensor
  }

  func source(of name: String) throws(ArchiveError) -> any TensorSource {
    try requireMember(name)
    if !isCompressed {
      var reader = ByteReader(bytes, path: path)
      let header = try NPY.header(from: &reader, fileSize: bytes.count)
      if header.isRowMajor {
        return try FileSource(
          header.tensor, path: path, member: nil, start: reader.offset,
          isBigEndian: header.isBigEndian)
      }
    }
    return LoadedSource(tensor: try tensor(named: name))
  }

  /// The number of bytes that a packed file says it unpacks to.
  ///
  /// - Throws: `ArchiveError` where it is no gzip file, or promises more than its bytes can
  ///   unpack to.
  private func unpackedSize() throws(ArchiveError) -> Int {
    guard bytes.starts(with: [0x1F, 0x8B]) else {
      throw ArchiveError(
        path: path, .wrongFormat(expected: "a gzip file", found: bytes.printablePrefix))
    }
    // The last four bytes are the size of what was packed, modulo 2^32 (RFC
    // 1952); nobody packs 4 GiB into one.
    var reader = ByteReader(bytes, at: max(0, bytes.count - 4), path: path)
    let size = try reader.integer(UInt32.self, of: "size at the end")
    let largest = Inflate.largestOutput(of: bytes.count)
    guard size <= largest else {
      throw reader.error(
        .corrupt(
          "size at the end", expected: "at most \(largest) bytes out of \(bytes.count)",
          found: "\(size)"))
    }
    return size
  }

  /// The bytes of the `.npy` file that was packed.
  private func unpacked() throws(ArchiveError) -> Data {
    let size = try unpackedSize()
    switch Inflate.unpack(bytes, from: .gzip, size: size) {
    case .success(let data): return data
    case .failure(let failure):
      throw ArchiveError(
        path: path,
        .corrupt("gzip data", expected: "\(size) bytes", found: failure.found))
    }
  }
}
