import Platform

/// The format of `torch.save` since PyTorch 1.6, and of `torch.jit.save`: a ZIP file with one
/// folder. In it, `data.pkl` is the pickle, `data/KEY` the bytes of the storage KEY, and
/// `byteorder` says `little` or `big`; without it, they are little-endian.
///
/// Source: the notes "Serialization semantics" in PyTorch's documentation, and the members that
/// PyTorch 2.13 writes.
extension TorchFile {
  private static let pickleName = "data.pkl"

  /// The most bytes of the pickle; one of 100,000 tensors has some 20 million.
  private static let largestPickle = 256 << 20

  /// - Parameter bytes: the whole file.
  /// - Throws: `ArchiveError` where it is another ZIP file, or damaged.
  init(zip bytes: Data, path: String) throws(ArchiveError) {
    let directory = try ZIPDirectory(of: bytes, path: path)
    let names = directory.entries.keys.filter {
      let words = $0.split(separator: "/", omittingEmptySubsequences: false)
      return words.count == 2 && words[1] == Self.pickleName
    }
    guard names.count == 1, let name = names.first, let entry = directory.entries[name] else {
      throw ArchiveError(
        path: path,
        .wrongFormat(
          expected: "a ZIP file of torch.save, with one folder and in it \(Self.pickleName)",
          found: names.isEmpty ? "none" : "\(names.count) of them"))
    }
    guard entry.size <= Self.largestPickle else {
      throw ArchiveError(
        path: path, member: name,
        .unsupported(
          "pickle", expected: "at most \(Self.largestPickle) bytes", found: "\(entry.size)"))
    }
    let folder = String(name.dropLast(Self.pickleName.count))
    let isBigEndian = try Self.isBigEndian(directory, bytes, folder, path)
    let contents = try Self.stored(entry, bytes, path).contents()
    pickle = try ArchiveError.locating(path, member: name) { () throws(ArchiveError.Reason) in
      let (pickle, end) = try PickleMachine.read(contents)
      guard end == contents.count else {
        throw .corrupt("pickle", expected: "\(contents.count) bytes", found: "its end at \(end)")
      }
      return pickle
    }
    member = name
    let verified = VerifiedChecksums()
    storage = { (key, header) throws(ArchiveError.Reason) in
      let name = "\(folder)data/\(key)"
      guard let entry = directory.entries[name] else {
        throw .corrupt("storage", expected: "the member \(TensorName.shown(name))", found: "none")
      }
      guard entry.method == .stored else {
        throw .unsupported(
          "storage", expected: "\(name) as torch.save writes it",
          found: "deflated; unpack the file, and zip it again without compression")
      }
      guard entry.size == header.byteCount else {
        throw .corrupt(
          "storage \(name)", expected: "\(header.byteCount) bytes", found: "\(entry.size)")
      }
      var reader = ByteReader(bytes, at: entry.headerOffset)
      let data = try ZIPDirectory.data(of: entry, from: &reader)
      return TorchStorage(
        data: data, offset: reader.offset - data.count, isBigEndian: isBigEndian,
        checksum: Self.checksum(of: entry)
      ) { () throws(ArchiveError.Reason) in
        guard let checksum = Self.checksum(of: entry) else { return }
        try verified.verify(name, data, checksum)
      }
    }
  }

  /// The checksum that the file states; nil for 0, which PyTorch writes for all members when it
  /// is told to write no checksums (`torch.serialization.set_crc32_options`).
  private static func checksum(of entry: ZIPDirectory.Entry) -> CRC32? {
    entry.checksum.value == 0 ? nil : entry.checksum
  }

  private static func isBigEndian(
    _ directory: ZIPDirectory, _ bytes: Data, _ folder: String, _ path: String
  ) throws(ArchiveError) -> Bool {
    let name = folder + "byteorder"
    guard let entry = directory.entries[name] else { return false }
    // Before anything is unpacked.
    guard entry.size <= 16 else {
      throw ArchiveError(
        path: path, member: name,
        .corrupt("byte order", expected: "little or big", found: "\(entry.size) bytes"))
    }
    let order = String(decoding: try stored(entry, bytes, path).contents(), as: UTF8.self)
    guard ["little", "big"].contains(order) else {
      throw ArchiveError(
        path: path, member: name,
        .corrupt("byte order", expected: "little or big", found: TensorName.shown(order)))
    }
    return order == "big"
  }

  private static func stored(
    _ entry: ZIPDirectory.Entry, _ bytes: Data, _ path: String
  ) throws(ArchiveError) -> StoredArray {
    try StoredArray(entry, in: bytes, path: path, checksum: checksum(of: entry))
  }
}
