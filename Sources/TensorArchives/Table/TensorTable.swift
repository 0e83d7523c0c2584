import TensorCore

/// The table of contents of a checkpoint: its tensors by their names.
///
/// A tensor of a type that is not read stands in it too, with the reason, so that the other
/// tensors of the file can be read.
struct TensorTable: Sendable {
  private(set) var entries: [String: Result<TableEntry, ArchiveError.Reason>] = [:]

  /// The size of the file in bytes.
  private let fileSize: Int
  /// The number of bytes of all tensors.
  private var total = 0

  init(fileSize: Int) { self.fileSize = fileSize }

  /// The most tensors that a file may hold; no checkpoint holds as many.
  static let largestCount = 100_000

  /// - Throws: `ArchiveError.Reason` where there are too many tensors, this name stands in the
  ///   table already, or it is no name for a tensor.
  mutating func add(
    _ name: String, _ entry: Result<TableEntry, ArchiveError.Reason>
  ) throws(ArchiveError.Reason) {
    try TensorName.checkRead(name)
    guard entries.count < Self.largestCount else {
      throw .unsupported("tensors", expected: "at most \(Self.largestCount)", found: "more")
    }
    guard entries.updateValue(entry, forKey: name) == nil else {
      throw .corrupt("name", expected: "one tensor of it", found: "two")
    }
    if let header = try? entry.get().header { try count(header) }
  }

  /// Checks that all tensors together are not much more than the file: they may share their
  /// elements, so that a small file could fill any memory.
  private mutating func count(_ header: TensorHeader) throws(ArchiveError.Reason) {
    let most = 8 * fileSize + 64 << 20
    let (sum, overflow) = total.addingReportingOverflow(header.byteCount)
    guard !overflow, sum <= most else {
      throw .corrupt(
        "tensors", expected: "at most \(most) bytes in all, for a file of \(fileSize)",
        found: "more")
    }
    total = sum
  }
}

/// An archive that has read its table of contents as a whole.
protocol TableArchive: TensorArchive {
  var table: TensorTable { get }
}

extension TableArchive {
  func header(of name: String) throws(ArchiveError) -> TensorHeader { try entry(name).header }

  func tensor(named name: String) throws(ArchiveError) -> Tensor {
    let entry = try entry(name)
    return try ArchiveError.locating(path, member: name, entry.load)
  }

  func source(of name: String) throws(ArchiveError) -> any TensorSource {
    let entry = try entry(name)
    guard let place = entry.place else { return LoadedSource(tensor: try tensor(named: name)) }
    // What is read in parts is verified behind its last part, if a checksum is of it alone.
    if place.checksum == nil { try ArchiveError.locating(path, member: name, place.verify) }
    return try FileSource(
      entry.header, path: path, member: name, start: place.offset,
      isBigEndian: place.isBigEndian,
      checksum: place.checksum.map { PiecewiseChecksum(head: CRC32(), expected: $0) })
  }

  private func entry(_ name: String) throws(ArchiveError) -> TableEntry {
    guard let entry = table.entries[name] else {
      throw ArchiveError(path: path, member: name, .noSuchMember(available: tensorNames))
    }
    return try ArchiveError.locating(path, member: name) { () throws(ArchiveError.Reason) in
      try entry.get()
    }
  }
}
