import Platform

/// Writes a ZIP file, one member after the other, and gives it its name by `finish`. The
/// time of every member is 1980-01-01 00:00, the format's first, so that the same members
/// give the same bytes in every run.
///
/// Source: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 and 4.3.14 to 4.3.16;
/// 4.5.3 for zip64, which is written where a number does not fit its field.
struct ZIPWriter: ~Copyable {
  private let path: String
  private var file: FileWriter
  /// The smallest size or offset that is left to the fields of zip64.
  private let smallestLarge: Int
  private var entries: [ZIPDirectory.Entry] = []

  /// What stands in a field of 32 bits where its number stands in a field of zip64.
  static let fullField = 0xFFFF_FFFF

  /// - Parameter smallestLarge: the smallest size or offset that is left to the fields of
  ///   zip64, in bytes; less than 4 GiB in tests alone.
  /// - Throws: `ArchiveError` where no file can be made at `path`.
  init(path: String, smallestLarge: Int = fullField) throws(ArchiveError) {
    self.path = path
    self.smallestLarge = smallestLarge
    file = try FileWriter(path: path)
  }

  /// Writes one member, as it is.
  ///
  /// - Throws: `ArchiveError` where the file can't be written, or the name is too long.
  /// - Complexity: O(bytes).
  mutating func add(_ contents: MemberContents, named name: String) throws(ArchiveError) {
    guard name.utf8.count <= 0xFFFF else {
      throw ArchiveError(
        path: path, member: name,
        .unsupported("name", expected: "at most 65535 bytes", found: "\(name.utf8.count)"))
    }
    let entry = ZIPDirectory.Entry(
      name: name, method: .stored, checksum: contents.checksum, compressedSize: contents.count,
      size: contents.count, headerOffset: file.offset)
    try file.write(MemberContents(localHeader(entry)))
    try file.write(contents)
    entries.append(entry)
  }

  /// Writes the central directory and gives the file its name.
  mutating func finish() throws(ArchiveError) {
    let start = file.offset
    for entry in entries { try file.write(MemberContents(centralHeader(entry))) }
    let end = end(count: entries.count, start: start, end: file.offset)
    try file.write(MemberContents(end))
    try file.commit()
  }

  /// What stands before a member.
  private func localHeader(_ entry: ZIPDirectory.Entry) -> Data {
    // Both sizes or none stand in zip64's field of a local header.
    let isLarge = max(entry.size, entry.compressedSize) >= smallestLarge
    var extra = Data()
    if isLarge {
      extra.append(u16: 1, 16)
      extra.append(u64: entry.size, entry.compressedSize)
    }
    var header = Data()
    header.append(u32: 0x0403_4B50)
    header.append(u16: isLarge ? 45 : 20)  // version needed
    Self.appendCommon(
      entry, size: isLarge ? Self.fullField : entry.size,
      compressedSize: isLarge ? Self.fullField : entry.compressedSize, extra, to: &header)
    header.append(contentsOf: entry.name.utf8)
    return header + extra
  }

  /// What stands in the directory for a member.
  private func centralHeader(_ entry: ZIPDirectory.Entry) -> Data {
    var wide = Data()
    /// The number for a field of 32 bits, or that the one of zip64 has it.
    func field(_ value: Int) -> Int {
      guard value >= smallestLarge else { return value }
      wide.append(u64: value)
      return Self.fullField
    }
    // In the order of zip64's field.
    let (size, compressedSize) = (field(entry.size), field(entry.compressedSize))
    let headerOffset = field(entry.headerOffset)
    var extra = Data()
    if !wide.isEmpty {
      extra.append(u16: 1, wide.count)
      extra += wide
    }
    let version = wide.isEmpty ? 20 : 45
    var header = Data()
    header.append(u32: 0x0201_4B50)
    header.append(u16: 3 << 8 | version, version)  // made by Unix; version needed
    Self.appendCommon(entry, size: size, compressedSize: compressedSize, extra, to: &header)
    header.append(u16: 0, 0, 0)  // comment, disk, internal attributes
    header.append(u32: 0o100644 << 16, headerOffset)  // a file; where its own header is
    header.append(contentsOf: entry.name.utf8)
    return header + extra
  }

  /// The fields that both headers have, from the flags to the lengths.
  private static func appendCommon(
    _ entry: ZIPDirectory.Entry, size: Int, compressedSize: Int, _ extra: Data,
    to header: inout Data
  ) {
    let isASCII = entry.name.utf8.allSatisfy { $0 < 0x80 }
    header.append(u16: isASCII ? 0 : 0x800, entry.method.rawValue)  // the name is UTF-8
    header.append(u16: 0, 1 << 5 | 1)  // 00:00:00 on the first of January 1980
    header.append(u32: Int(entry.checksum.value), compressedSize, size)
    header.append(u16: entry.name.utf8.count, extra.count)
  }

  /// What stands behind the directory, which goes from `start` to `end`.
  private func end(count: Int, start: Int, end: Int) -> Data {
    var record = Data()
    let isLarge = count >= 0xFFFF || end >= smallestLarge
    if isLarge {
      record.append(u32: 0x0606_4B50)
      record.append(u64: 44)  // what follows of this record
      record.append(u16: 3 << 8 | 45, 45)  // made by Unix; version needed
      record.append(u32: 0, 0)  // this disk, and the directory's
      record.append(u64: count, count, end - start, start)
      record.append(u32: 0x0706_4B50, 0)  // the locator, and the disk of the record
      record.append(u64: end)
      record.append(u32: 1)  // disks
    }
    let entries = isLarge ? 0xFFFF : count
    record.append(u32: 0x0605_4B50)
    record.append(u16: 0, 0, entries, entries)  // this disk, and the directory's
    record.append(u32: isLarge ? Self.fullField : end - start, isLarge ? Self.fullField : start)
    record.append(u16: 0)  // comment
    return record
  }
}
