import Platform

/// A file of NumPy's format `.npz`, which is a ZIP file: its members are `.npy` files, stored
/// or deflated, and perhaps `manifest.json`.
///
/// Sizes are checked before anything is unpacked, and the checksum of a member when all of it
/// has been read.
struct NPZArchive: StoredArrayArchive {
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
    return try decodeUTF8(stored(entry).contents(), path: path, member: manifestName)
  }

  func array(named name: String) throws(ArchiveError) -> StoredArray {
    guard let entry = directory.entries[name + ".npy"] else {
      throw ArchiveError(path: path, member: name, .noSuchMember(available: tensorNames))
    }
    return try stored(entry)
  }

  private func stored(_ entry: ZIPDirectory.Entry) throws(ArchiveError) -> StoredArray {
    try StoredArray(entry, in: bytes, path: path, checksum: entry.checksum)
  }
}

extension StoredArray {
  /// The bytes of a member of a ZIP file as they are in the file, which may be deflated.
  ///
  /// - Parameters:
  ///   - zip: the whole file.
  ///   - checksum: of the unpacked bytes; nil where the file states none.
  /// - Throws: `ArchiveError` where the member's own header contradicts the directory.
  init(
    _ entry: ZIPDirectory.Entry, in zip: Data, path: String, checksum: CRC32?
  ) throws(ArchiveError) {
    var reader = ByteReader(zip, at: entry.headerOffset)
    let stored = try ArchiveError.locating(path, member: entry.name) {
      () throws(ArchiveError.Reason) in try ZIPDirectory.data(of: entry, from: &reader)
    }
    self.init(
      path: path, member: entry.name, bytes: stored, offset: reader.offset - stored.count,
      size: entry.size, packing: entry.method == .deflated ? .raw : nil, checksum: checksum)
  }
}
