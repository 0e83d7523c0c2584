import Platform
import TensorCore

/// A file of NumPy's format `.npz`, which is a ZIP file: its members are `.npy` files, stored
/// or deflated, and perhaps `manifest.json`.
///
/// The checksum of each member is verified when all of it was read, and the sizes before
/// anything is unpacked.
struct NPZArchive: TensorArchive {
  let path: String
  let tensorNames: [String]
  /// The whole file.
  private let bytes: Data
  private let directory: ZIPDirectory

  /// - Throws: `ArchiveError` where it is no ZIP file, or has members of another kind.
  init(path: String) throws(ArchiveError) {
    self.path = path
    bytes = try FileBytes.read(path)
    directory = try ZIPDirectory(of: bytes, path: path)
    var names: [String] = []
    for member in directory.entries.keys.sorted() where member != manifestName {
      if member.hasSuffix("/") { continue }  // a folder's own entry
      guard member.hasSuffix(".npy") else {
        throw ArchiveError(
          path: path, member: member,
          .unsupported("member", expected: "a name ending in .npy", found: "another file"))
      }
      names.append(String(member.dropLast(4)))
    }
    tensorNames = names
  }

  func manifest() throws(ArchiveError) -> String? {
    guard let entry = directory.entries[manifestName] else { return nil }
    try checkManifestSize(entry.size, path: path, member: manifestName)
    return try decodeUTF8(contents(of: entry), path: path, member: manifestName)
  }

  func tensor(named name: String) throws(ArchiveError) -> Tensor {
    let entry = try entry(name)
    return try NPY.decode(contents(of: entry), path: path, member: entry.name)
  }

  func header(of name: String) throws(ArchiveError) -> TensorHeader {
    let entry = try entry(name)
    let (_, stored) = try stored(entry)
    let start =
      entry.method == .deflated
      ? Inflate.prefix(NPY.Header.longest, of: stored, from: .raw) : stored
    var reader = ByteReader(start, path: path, member: entry.name)
    return try NPY.header(from: &reader, fileSize: entry.size).tensor
  }

  func source(of name: String) throws(ArchiveError) -> any TensorSource {
    let entry = try entry(name)
    if entry.method == .stored {
      let (offset, stored) = try stored(entry)
      var reader = ByteReader(stored, path: path, member: entry.name)
      let header = try NPY.header(from: &reader, fileSize: entry.size)
      if header.isRowMajor {
        var head = CRC32()
        stored.prefix(reader.offset).withUnsafeBytes { head.update($0) }
        return try FileSource(
          header.tensor, path: path, member: entry.name, start: offset + reader.offset,
          isBigEndian: header.isBigEndian,
          checksum: PiecewiseChecksum(head: head, expected: CRC32(entry.checksum)))
      }
    }
    return LoadedSource(tensor: try tensor(named: name))
  }

  private func entry(_ name: String) throws(ArchiveError) -> ZIPDirectory.Entry {
    guard let entry = directory.entries[name + ".npy"] else {
      throw ArchiveError(path: path, member: name, .noSuchMember(available: tensorNames))
    }
    return entry
  }

  /// The bytes of a member as they stand in the file, perhaps deflated, and how many bytes
  /// stand before them.
  ///
  /// - Throws: `ArchiveError` where the member's own header contradicts the directory.
  private func stored(
    _ entry: ZIPDirectory.Entry
  ) throws(ArchiveError) -> (offset: Int, bytes: Data) {
    var reader = ByteReader(bytes, at: entry.headerOffset, path: path, member: entry.name)
    let what = "local header"
    try reader.expect(0x0403_4B50, of: what)
    try reader.skip(22, of: what)  // all of it stands in the central directory too
    let nameLength = try reader.integer(UInt16.self, of: what)
    let extraLength = try reader.integer(UInt16.self, of: what)
    let name = String(decoding: try reader.take(nameLength, of: what), as: UTF8.self)
    guard name == entry.name else {
      throw reader.error(
        .corrupt(what, expected: "the name of the central directory", found: "\"\(name)\""))
    }
    try reader.skip(extraLength, of: what)
    return (reader.offset, try reader.take(entry.compressedSize, of: "data"))
  }

  /// The bytes of a member, unpacked and held against its checksum.
  private func contents(of entry: ZIPDirectory.Entry) throws(ArchiveError) -> Data {
    let (_, stored) = try stored(entry)
    func error(_ reason: ArchiveError.Reason) -> ArchiveError {
      ArchiveError(path: path, member: entry.name, reason)
    }
    let contents: Data
    switch entry.method {
    case .stored: contents = stored
    case .deflated:
      switch Inflate.unpack(stored, from: .raw, size: entry.size) {
      case .success(let bytes): contents = bytes
      case .failure(let failure):
        throw error(
          .corrupt("deflated data", expected: "\(entry.size) bytes", found: failure.found))
      }
    }
    var checksum = CRC32()
    contents.withUnsafeBytes { checksum.update($0) }
    guard checksum.value == entry.checksum else {
      throw error(
        .corrupt(
          "CRC-32", expected: hexadecimal(UInt64(entry.checksum), digits: 8),
          found: checksum.description))
    }
    return contents
  }
}
