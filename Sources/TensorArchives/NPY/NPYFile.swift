import Platform

/// An `.npy` file, or one that is packed by gzip, as an archive: it holds one tensor, whose
/// name is empty, and no manifest.
struct NPYFile: StoredArrayArchive {
  let path: String
  private let isCompressed: Bool
  /// All bytes of the file, packed or not.
  private let bytes: Data

  init(path: String, isCompressed: Bool) throws(ArchiveError) {
    self.path = path
    self.isCompressed = isCompressed
    bytes = try FileBytes.read(path)
  }

  var tensorNames: [String] { [""] }

  func manifest() -> String? { nil }

  func array(named name: String) throws(ArchiveError) -> StoredArray {
    try requireMember(name)
    let size = try ArchiveError.locating(path) { () throws(ArchiveError.Reason) in
      isCompressed ? try unpackedSize() : bytes.count
    }
    return StoredArray(
      path: path, member: nil, bytes: bytes, offset: 0, size: size,
      packing: isCompressed ? .gzip : nil, checksum: nil)
  }

  /// The number of bytes that a packed file says it unpacks to.
  ///
  /// - Throws: `ArchiveError.Reason` where it is no gzip file, or promises more than its
  ///   bytes can unpack to.
  private func unpackedSize() throws(ArchiveError.Reason) -> Int {
    guard bytes.starts(with: [0x1F, 0x8B]) else {
      throw .wrongFormat(expected: "a gzip file", found: bytes.printablePrefix)
    }
    // The last four bytes are the size of what was packed, modulo 2^32 (RFC
    // 1952); nobody packs 4 GiB into one.
    var reader = ByteReader(bytes, at: max(0, bytes.count - 4))
    let size = try reader.integer(UInt32.self, of: "size at the end")
    let largest = Inflate.largestOutput(of: bytes.count)
    guard size <= largest else {
      throw .corrupt(
        "size at the end", expected: "at most \(largest) bytes out of \(bytes.count)",
        found: "\(size)")
    }
    return size
  }
}
