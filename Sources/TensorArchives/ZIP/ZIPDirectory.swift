import Platform

/// The central directory of a ZIP file, which says what the file holds and where.
///
/// Sizes are taken from here and never from the headers that stand before the members,
/// where writers that can't go back leave them open.
///
/// Source: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 and 4.3.14 to 4.3.16;
/// 4.5.3 for zip64.
struct ZIPDirectory {
  /// What the directory says of one member.
  struct Entry {
    /// How the bytes of a member are packed, by the format's numbers.
    enum Method: Int {
      case stored = 0
      case deflated = 8
    }

    let name: String
    let method: Method
    /// The checksum of the unpacked bytes.
    let checksum: CRC32
    /// The number of bytes in the file.
    let compressedSize: Int
    /// The number of bytes when unpacked.
    let size: Int
    /// Where the member's own header starts, in bytes from the start of the file.
    let headerOffset: Int
  }

  /// All members, by their names.
  let entries: [String: Entry]

  /// - Parameter bytes: the whole file.
  /// - Throws: `ArchiveError` where the bytes are no ZIP file, or one part of a file on
  ///   several disks, and where a member is encrypted, is packed in another way, is there
  ///   twice, or claims to be larger than its bytes can unpack to.
  /// - Complexity: O(members).
  init(of bytes: Data, path: String) throws(ArchiveError) {
    var entries: [String: Entry] = [:]
    // The member whose entry is read, for errors; nil before its name is known.
    var member: String?
    do throws(ArchiveError.Reason) {
      let end = try Self.endRecord(of: bytes)
      var reader = ByteReader(bytes, at: end.directoryOffset)
      for _ in 0..<end.count {
        let entry = try Self.entry(from: &reader, name: &member)
        guard entries.updateValue(entry, forKey: entry.name) == nil else {
          throw .corrupt(
            "central directory", expected: "every name once", found: "this name twice")
        }
        member = nil
      }
      guard reader.offset == end.directoryEnd else {
        throw .corrupt(
          "central directory", expected: "\(end.count) entries up to byte \(end.directoryEnd)",
          found: "their end at byte \(reader.offset)")
      }
      try Self.checkOverlap(of: entries, fileSize: bytes.count)
    } catch {
      throw ArchiveError(path: path, member: member, error)
    }
    self.entries = entries
  }

  /// Refuses members that share their bytes, since they can unpack to any multiple of the
  /// file's size: in all, the members must not be larger than the file.
  private static func checkOverlap(
    of entries: [String: Entry], fileSize: Int
  ) throws(ArchiveError.Reason) {
    let stored = entries.values.reduce(0) { sum, entry in
      let (sum, overflow) = sum.addingReportingOverflow(entry.compressedSize)
      return overflow ? .max : sum
    }
    guard stored <= fileSize else {
      throw .corrupt(
        "members", expected: "at most \(fileSize) bytes in all, as the file has",
        found: "\(stored)")
    }
  }

  /// Reads the record at the end of the file, which says where the directory is.
  private static func endRecord(
    of bytes: Data
  ) throws(ArchiveError.Reason) -> (count: Int, directoryOffset: Int, directoryEnd: Int) {
    let size = 22
    let signature: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
    // A comment of at most 65,535 bytes may follow the record.
    let earliest = max(0, bytes.count - size - 0xFFFF)
    var start = bytes.count - size
    while start >= earliest, !bytes[(bytes.startIndex + start)...].starts(with: signature) {
      start -= 1
    }
    guard start >= earliest else {
      guard bytes.starts(with: [0x50, 0x4B]) else {
        throw .wrongFormat(expected: "a ZIP file", found: bytes.printablePrefix)
      }
      throw .corrupt(
        "end of the central directory", expected: "its record in the last 64 KiB",
        found: "none (the file is cut off)")
    }
    var reader = ByteReader(bytes, at: start + signature.count)
    let disk = try reader.integer(UInt16.self, of: "number of this disk")
    let firstDisk = try reader.integer(UInt16.self, of: "disk of the directory")
    try reader.skip(2, of: "entries on this disk")
    var count = try reader.integer(UInt16.self, of: "number of entries")
    var directorySize = try reader.integer(UInt32.self, of: "size of the directory")
    var directoryOffset = try reader.integer(UInt32.self, of: "offset of the directory")
    if count == 0xFFFF || directorySize == 0xFFFF_FFFF || directoryOffset == 0xFFFF_FFFF {
      (count, directorySize, directoryOffset) = try zip64EndRecord(of: bytes, before: start)
    } else {
      try checkDisks(disk, firstDisk)
    }
    guard directorySize <= start, directoryOffset <= start - directorySize else {
      throw .corrupt(
        "central directory", expected: "its end at or before byte \(start)",
        found: "\(directorySize) bytes from byte \(directoryOffset)")
    }
    return (count, directoryOffset, directoryOffset + directorySize)
  }

  /// Refuses one part of a file on several disks.
  private static func checkDisks(
    _ disk: Int, _ diskOfDirectory: Int
  ) throws(ArchiveError.Reason) {
    guard disk == 0, diskOfDirectory == 0 else {
      throw .unsupported("disks", expected: "one", found: "several")
    }
  }

  /// Reads the record that takes the place of the one at `start` where the fields of that
  /// are too small. A locator just before `start` says where it is.
  private static func zip64EndRecord(
    of bytes: Data, before start: Int
  ) throws(ArchiveError.Reason) -> (count: Int, size: Int, offset: Int) {
    let locatorSize = 20
    var locator = ByteReader(bytes, at: max(0, start - locatorSize))
    try locator.expect(0x0706_4B50, of: "zip64 locator")
    try locator.skip(4, of: "zip64 locator")
    let offset = try locator.integer(UInt64.self, of: "zip64 locator")
    var record = ByteReader(bytes, at: offset)
    try record.expect(0x0606_4B50, of: "zip64 end record")
    try record.skip(8 + 2 + 2, of: "zip64 end record")
    try checkDisks(
      try record.integer(UInt32.self, of: "number of this disk"),
      try record.integer(UInt32.self, of: "disk of the directory"))
    try record.skip(8, of: "entries on this disk")
    return (
      try record.integer(UInt64.self, of: "number of entries"),
      try record.integer(UInt64.self, of: "size of the directory"),
      try record.integer(UInt64.self, of: "offset of the directory")
    )
  }

  /// Reads one entry of the directory.
  ///
  /// - Parameter member: becomes the member's name as soon as that is read.
  private static func entry(
    from reader: inout ByteReader, name member: inout String?
  ) throws(ArchiveError.Reason) -> Entry {
    let what = "central directory"
    try reader.expect(0x0201_4B50, of: what)
    try reader.skip(4, of: what)  // versions
    let flags = try reader.integer(UInt16.self, of: what)
    let methodNumber = try reader.integer(UInt16.self, of: what)
    try reader.skip(4, of: what)  // time and date
    let checksum = try reader.integer(UInt32.self, of: what)
    var compressedSize = try reader.integer(UInt32.self, of: what)
    var size = try reader.integer(UInt32.self, of: what)
    let nameLength = try reader.integer(UInt16.self, of: what)
    let extraLength = try reader.integer(UInt16.self, of: what)
    let commentLength = try reader.integer(UInt16.self, of: what)
    try reader.skip(4, of: what)  // disk and internal attributes
    let attributes = try reader.integer(UInt32.self, of: what)
    var headerOffset = try reader.integer(UInt32.self, of: what)
    let name = String(decoding: try reader.take(nameLength, of: what), as: UTF8.self)
    member = name
    var extra = ByteReader(try reader.take(extraLength, of: what))
    try readZIP64(from: &extra, &size, &compressedSize, &headerOffset)
    try reader.skip(commentLength, of: what)

    guard flags & 1 == 0 else {
      throw .unsupported("member", expected: "plain data", found: "encrypted data")
    }
    guard let method = Entry.Method(rawValue: methodNumber) else {
      throw .unsupported(
        "compression method", expected: "0 (stored) or 8 (deflated)", found: "\(methodNumber)")
    }
    // The bit with which MS-DOS marks a folder. Readers that heed it, as PyTorch's does, find
    // nothing in such a member: torch.load 2.13 then gives a tensor of whatever was in the memory.
    guard attributes & 0x10 == 0 || size == 0 else {
      throw .corrupt(
        "attributes", expected: "those of a file, as it has \(size) bytes",
        found: "those of a folder")
    }
    let largest = method == .stored ? compressedSize : Inflate.largestOutput(of: compressedSize)
    guard size <= largest, method == .deflated || size == compressedSize else {
      throw .corrupt(
        "size", expected: "at most \(largest) bytes out of \(compressedSize)", found: "\(size)")
    }
    return Entry(
      name: name, method: method, checksum: CRC32(UInt32(checksum)),
      compressedSize: compressedSize, size: size, headerOffset: headerOffset)
  }

  /// Reads the numbers that do not fit 32 bits out of the extra field of zip64, which has the
  /// number 1. It holds exactly those whose 32 bits are all set, in this order, in 64 bits.
  ///
  /// Source: APPNOTE.TXT, section 4.5.3.
  private static func readZIP64(
    from extra: inout ByteReader, _ size: inout Int, _ compressedSize: inout Int,
    _ headerOffset: inout Int
  ) throws(ArchiveError.Reason) {
    let what = "extra field"
    let isFull = { (field: Int) in field == 0xFFFF_FFFF }
    guard isFull(size) || isFull(compressedSize) || isFull(headerOffset) else { return }
    while extra.remaining > 0 {
      let kind = try extra.integer(UInt16.self, of: what)
      let length = try extra.integer(UInt16.self, of: what)
      guard kind == 1 else {
        try extra.skip(length, of: what)
        continue
      }
      if isFull(size) { size = try extra.integer(UInt64.self, of: what) }
      if isFull(compressedSize) { compressedSize = try extra.integer(UInt64.self, of: what) }
      if isFull(headerOffset) { headerOffset = try extra.integer(UInt64.self, of: what) }
      return
    }
    throw .corrupt(what, expected: "zip64's sizes", found: "none")
  }

  /// Reads a member's own header and its bytes as they stand in the file.
  ///
  /// - Parameter reader: at the header, and then behind the bytes.
  /// - Throws: `ArchiveError.Reason` where the header contradicts the directory.
  static func data(
    of entry: Entry, from reader: inout ByteReader
  ) throws(ArchiveError.Reason) -> Data {
    let what = "local header"
    try reader.expect(0x0403_4B50, of: what)
    try reader.skip(22, of: what)  // all of it stands in the central directory too
    let nameLength = try reader.integer(UInt16.self, of: what)
    let extraLength = try reader.integer(UInt16.self, of: what)
    let name = String(decoding: try reader.take(nameLength, of: what), as: UTF8.self)
    guard name == entry.name else {
      throw .corrupt(what, expected: "the name of the central directory", found: "\"\(name)\"")
    }
    try reader.skip(extraLength, of: what)
    return try reader.take(entry.compressedSize, of: "data")
  }
}
