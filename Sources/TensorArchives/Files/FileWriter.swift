import SystemPackage

/// A new file, written from its start to its end, which takes its name by
/// `commit`. Without that, nothing of it stays.
struct FileWriter: ~Copyable {
  private let sibling: TemporarySibling
  private let file: FileDescriptor
  /// The bytes written so far.
  private(set) var offset = 0

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

  mutating func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    try ArchiveError.writing(sibling.path) { try file.write(whole: bytes) }
    offset += bytes.count
  }

  /// What was written is on the disk before the name leads to it.
  func commit() throws(ArchiveError) {
    try ArchiveError.writing(sibling.path) { try file.synchronize() }
    try sibling.commit()
  }

  deinit { try? file.close() }
}
