import Platform
import Synchronization

/// A file of `torch.save`, in either of its formats: a pickle, in which tensors are views of
/// storages, and the bytes of the storages outside of the pickle.
struct TorchFile {
  let pickle: Pickle
  /// The name of the pickle in the file, for errors; nil where it has none.
  let member: String?
  /// Finds the bytes of a storage by its key.
  let storage: (String, StorageHeader) throws(ArchiveError.Reason) -> TorchStorage

  /// Whether a file that starts with these bytes is one of `torch.save`, as far as they tell.
  static func isStart(_ bytes: Data) -> Bool {
    bytes.starts(with: zipStart) || bytes.starts(with: streamStart)
  }

  /// How a ZIP file starts.
  static let zipStart: [UInt8] = [0x50, 0x4B]

  /// What the pickle says of a storage.
  struct StorageHeader {
    let type: StoredType
    /// The number of elements.
    let count: Int
    /// The number of bytes.
    let byteCount: Int
  }
}

/// The bytes of a storage.
struct TorchStorage: Sendable {
  let data: Data
  /// Where they start, in bytes from the file's first.
  let offset: Int
  let isBigEndian: Bool
  /// Nil where the file states none.
  let checksum: CRC32?
  /// Verifies their checksum, where the file has one.
  let verify: @Sendable () throws(ArchiveError.Reason) -> Void
}

/// Which checksums have been verified. Many tensors may be views of one storage, which must not
/// be read as a whole for each.
final class VerifiedChecksums: Sendable {
  private let keys = Mutex<Set<String>>([])

  /// Compares the checksum of some bytes with the one that the file states, at the first call
  /// with this key.
  ///
  /// - Throws: `ArchiveError.Reason` where it is another.
  func verify(
    _ key: String, _ data: Data, _ expected: CRC32
  ) throws(ArchiveError.Reason) {
    if keys.withLock({ $0.contains(key) }) { return }
    try expected.verify(CRC32(of: data))
    keys.withLock { _ = $0.insert(key) }
  }
}
