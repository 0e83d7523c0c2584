import SystemPackage

/// Writes a new file from its start to its end. It takes its name by `commit`; without
/// that, nothing of it stays.
struct FileWriter: ~Copyable {
  private let sibling: TemporarySibling
  private let file: FileDescriptor
  /// The number of bytes that are written so far.
  private(set) var offset = 0

  /// - Parameter path: where the file will be. A file that is there already is replaced.
  /// - Throws: `ArchiveError` where no file can be made in the folder.
  init(path: String) throws(ArchiveError) {
    let sibling = TemporarySibling(of: path)
    let temporaryPath = sibling.temporaryPath
    file = try ArchiveError.writing(path) {
      try FileDescriptor.open(
        temporaryPath, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: FilePermissions(rawValue: 0o666))
    }
    self.sibling = sibling
  }

  /// Writes a whole file.
  ///
  /// - Throws: `ArchiveError` where the system refuses.
  static func write(_ contents: MemberContents, to path: String) throws(ArchiveError) {
    var file = try FileWriter(path: path)
    try file.write(contents)
    try file.commit()
  }

  /// Writes what follows on all that was written before.
  ///
  /// - Throws: `ArchiveError` where the system refuses.
  mutating func write(_ contents: MemberContents) throws(ArchiveError) {
    try contents.forEachPiece { bytes throws(ArchiveError) in
      try ArchiveError.writing(sibling.path) { try file.write(whole: bytes) }
    }
    offset += contents.count
  }

  /// Gives the file its name, once all that was written is on the disk.
  ///
  /// - Throws: `ArchiveError` where the system refuses either.
  func commit() throws(ArchiveError) {
    try ArchiveError.writing(sibling.path) { try file.synchronize() }
    try sibling.commit()
  }

  deinit { try? file.close() }
}
