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
    /// The CRC-32 of the unpacked bytes.
    let checksum: UInt32
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
    let end = try Self.endRecord(of: bytes, path: path)
    var reader = ByteReader(bytes, at: end.directoryOffset, path: path)
    var entries: [String: Entry] = [:]
    for _ in 0..<end.count {
      let entry = try Self.entry(from: &reader)
      guard entries.updateValue(entry, forKey: entry.name) == nil else {
        throw ArchiveError(
          path: path, member: entry.name,
          .corrupt("central directory", expected: "every name once", found: "this name twice"))
      }
    }
    reader.member = nil
    guard reader.offset == end.directoryEnd else {
      throw reader.error(
        .corrupt(
          "central directory", expected: "\(end.count) entries up to byte \(end.directoryEnd)",
          found: "their end at byte \(reader.offset)"))
    }
    try Self.checkOverlap(of: entries, in: reader)
    self.entries = entries
  }

  /// Refuses members that share their bytes, since they can unpack to any multiple of the
  /// file's size: in all, the members must not be larger than the file.
  private static func checkOverlap(
    of entries: [String: Entry], in reader: ByteReader
  ) throws(ArchiveError) {
    var stored = 0
    for entry in entries.values {
      stored =
        stored.addingReportingOverflow(entry.compressedSize).overflow
        ? .max : stored + entry.compressedSize
    }
    guard stored <= reader.bytes.count else {
      throw reader.error(
        .corrupt(
          "members", expected: "at most \(reader.bytes.count) bytes in all, as the file has",
          found: "\(stored)"))
    }
  }

  /// Reads the record at the end of the file, which says where the directory is.
  private static func endRecord(
    of bytes: Data, path: String
  ) throws(ArchiveError) -> (count: Int, directoryOffset: Int, directoryEnd: Int) {
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
        throw ArchiveError(
          path: path, .wrongFormat(expected: "a ZIP file", found: bytes.printablePrefix))
      }
      throw ArchiveError(
        path: path,
        .corrupt(
          "end of the central directory", expected: "its record in the last 64 KiB",
          found: "none (the file is cut off)"))
    }
    var reader = ByteReader(bytes, at: start + signature.count, path: path)
    let disk = try reader.integer(UInt16.self, of: "number of this disk")
    let firstDisk = try reader.integer(UInt16.self, of: "disk of the directory")
    try reader.skip(2, of: "entries on this disk")
    var count = try reader.integer(UInt16.self, of: "number of entries")
    var directorySize = try reader.integer(UInt32.self, of: "size of the directory")
    var directoryOffset = try reader.integer(UInt32.self, of: "offset of the directory")
    if count == 0xFFFF || directorySize == 0xFFFF_FFFF || directoryOffset == 0xFFFF_FFFF {
      (count, directorySize, directoryOffset) = try zip64EndRecord(
        of: bytes, before: start, path: path)
    } else if disk != 0 || firstDisk != 0 {
      throw reader.error(.unsupported("disks", expected: "one", found: "several"))
    }
    guard directorySize <= start, directoryOffset <= start - directorySize else {
      throw reader.error(
        .corrupt(
          "central directory", expected: "its end at or before byte \(start)",
          found: "\(directorySize) bytes from byte \(directoryOffset)"))
    }
    return (count, directoryOffset, directoryOffset + directorySize)
  }

  /// Reads the record that takes the place of the one at `start` where the fields of that
  /// are too small. A locator just before `start` says where it is.
  private static func zip64EndRecord(
    of bytes: Data, before start: Int, path: String
  ) throws(ArchiveError) -> (count: Int, size: Int, offset: Int) {
    let locatorSize = 20
    var locator = ByteReader(bytes, at: max(0, start - locatorSize), path: path)
    try locator.expect(0x0706_4B50, of: "zip64 locator")
    try locator.skip(4, of: "zip64 locator")
    let offset = try locator.integer(UInt64.self, of: "zip64 locator")
    var record = ByteReader(bytes, at: offset, path: path)
    try record.expect(0x0606_4B50, of: "zip64 end record")
    try record.skip(8 + 2 + 2, of: "zip64 end record")
    let disk = try record.integer(UInt32.self, of: "number of this disk")
    let firstDisk = try record.integer(UInt32.self, of: "disk of the directory")
    guard disk == 0, firstDisk == 0 else {
      throw record.error(.unsupported("disks", expected: "one", found: "several"))
    }
    try record.skip(8, of: "entries on this disk")
    return (
      try record.integer(UInt64.self, of: "number of entries"),
      try record.integer(UInt64.self, of: "size of the directory"),
      try record.integer(UInt64.self, of: "offset of the directory")
    )
  }

  /// Reads one entry of the directory.
  private static func entry(from reader: inout ByteReader) throws(ArchiveError) -> Entry {
    reader.member = nil
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
    try reader.skip(8, of: what)  // disk and attributes
    var headerOffset = try reader.integer(UInt32.self, of: what)
    let name = String(decoding: try reader.take(nameLength, of: what), as: UTF8.self)
    reader.member = name
    var extra = ByteReader(
      try reader.take(extraLength, of: what), path: reader.path, member: name)
    try readZIP64(from: &extra, &size, &compressedSize, &headerOffset)
    try reader.skip(commentLength, of: what)

    guard flags & 1 == 0 else {
      throw reader.error(.unsupported("member", expected: "plain data", found: "encrypted data"))
    }
    guard let method = Entry.Method(rawValue: methodNumber) else {
      throw reader.error(
        .unsupported(
          "compression method", expected: "0 (stored) or 8 (deflated)", found: "\(methodNumber)"))
    }
    let largest = method == .stored ? compressedSize : Inflate.largestOutput(of: compressedSize)
    guard size <= largest, method == .deflated || size == compressedSize else {
      throw reader.error(
        .corrupt(
          "size", expected: "at most \(largest) bytes out of \(compressedSize)",
          found: "\(size)"))
    }
    return Entry(
      name: name, method: method, checksum: UInt32(checksum), compressedSize: compressedSize,
      size: size, headerOffset: headerOffset)
  }

  /// Replaces the sizes of which all 32 bits are set by those of 64 bits in the extra field
  /// with the number 1, which holds just these, in this order.
  private static func readZIP64(
    from extra: inout ByteReader, _ size: inout Int, _ compressedSize: inout Int,
    _ headerOffset: inout Int
  ) throws(ArchiveError) {
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
    throw extra.error(.corrupt(what, expected: "zip64's sizes", found: "none"))
  }
}
