import TensorCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A new file, written from its start to its end, which takes its name by
/// `commit`. Without that, nothing of it stays.
struct FileWriter: ~Copyable {
  private let sibling: TemporarySibling
  private let descriptor: CInt
  /// The bytes written so far.
  private(set) var offset = 0

  /// - Throws: `ArchiveError` where no file can be made in the folder.
  init(path: String) throws(ArchiveError) {
    let sibling = TemporarySibling(of: path)
    let descriptor = open(
      sibling.temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Self.error(path) }
    self.sibling = sibling
    self.descriptor = descriptor
  }

  mutating func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    // Darwin refuses to write 2 GiB in one call.
    let largest = 1 << 30
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(largest))
      let written = systemWrite(descriptor, piece)
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw Self.error(sibling.path) }
      rest = rest.dropFirst(written)
      offset += written
    }
  }

  /// What was written is on the disk before the name leads to it.
  func commit() throws(ArchiveError) {
    guard fsync(descriptor) == 0 else { throw Self.error(sibling.path) }
    try sibling.commit()
  }

  deinit { close(descriptor) }

  private static func error(_ path: String) -> ArchiveError {
    ArchiveError(path: path, .unwritable("can't be written (\(FileBytes.words(of: errno)))"))
  }
}

private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}
