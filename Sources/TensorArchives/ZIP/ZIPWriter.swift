#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

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

  /// Writes one member.
  ///
  /// - Parameter deflating: whether it is deflated, or stored as it is.
  /// - Throws: `ArchiveError` where the file can't be written, or the name is too long.
  /// - Complexity: O(bytes) in time; a deflated member is packed in memory.
  mutating func add(
    _ contents: MemberContents, named name: String, deflating: Bool
  ) throws(ArchiveError) {
    guard name.utf8.count <= 0xFFFF else {
      throw ArchiveError(
        path: path, member: name,
        .unsupported("name", expected: "at most 65535 bytes", found: "\(name.utf8.count)"))
    }
    var stored = contents
    if deflating {
      guard let packed = Deflate.pack(contents, as: .raw) else {
        throw ArchiveError(path: path, member: name, .unwritable("no memory for zlib"))
      }
      stored = MemberContents(packed)
    }
    let entry = ZIPDirectory.Entry(
      name: name, method: deflating ? .deflated : .stored, checksum: contents.checksum.value,
      compressedSize: stored.count, size: contents.count, headerOffset: file.offset)
    try write(localHeader(entry))
    try stored.forEachPiece { bytes throws(ArchiveError) in try file.write(bytes) }
    entries.append(entry)
  }

  /// Writes the central directory and gives the file its name.
  mutating func finish() throws(ArchiveError) {
    let start = file.offset
    for entry in entries { try write(centralHeader(entry)) }
    try write(end(count: entries.count, start: start, end: file.offset))
    try file.commit()
  }

  /// Writes a header.
  private mutating func write(_ bytes: Data) throws(ArchiveError) {
    try MemberContents(bytes).forEachPiece { bytes throws(ArchiveError) in try file.write(bytes) }
  }

  /// What stands before a member.
  private func localHeader(_ entry: ZIPDirectory.Entry) -> Data {
    // Both sizes or none stand in zip64's field of a local header.
    let isLarge = max(entry.size, entry.compressedSize) >= smallestLarge
    var extra = Data()
    if isLarge {
      extra.append(integer: 1, as: UInt16.self)
      extra.append(integer: 16, as: UInt16.self)
      extra.append(integer: entry.size, as: UInt64.self)
      extra.append(integer: entry.compressedSize, as: UInt64.self)
    }
    var header = Data()
    header.append(integer: 0x0403_4B50, as: UInt32.self)
    header.append(integer: isLarge ? 45 : 20, as: UInt16.self)
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
      wide.append(integer: value, as: UInt64.self)
      return Self.fullField
    }
    // In the order of zip64's field.
    let (size, compressedSize) = (field(entry.size), field(entry.compressedSize))
    let headerOffset = field(entry.headerOffset)
    var extra = Data()
    if !wide.isEmpty {
      extra.append(integer: 1, as: UInt16.self)
      extra.append(integer: wide.count, as: UInt16.self)
      extra += wide
    }
    var header = Data()
    let version = wide.isEmpty ? 20 : 45
    header.append(integer: 0x0201_4B50, as: UInt32.self)
    header.append(integer: 3 << 8 | version, as: UInt16.self)  // made by: Unix
    header.append(integer: version, as: UInt16.self)
    Self.appendCommon(entry, size: size, compressedSize: compressedSize, extra, to: &header)
    header.append(integer: 0, as: UInt16.self)  // comment
    header.append(integer: 0, as: UInt16.self)  // disk
    header.append(integer: 0, as: UInt16.self)  // internal attributes
    header.append(integer: 0o100644 << 16, as: UInt32.self)
    header.append(integer: headerOffset, as: UInt32.self)
    header.append(contentsOf: entry.name.utf8)
    return header + extra
  }

  /// The fields that both headers have, from the flags to the lengths.
  private static func appendCommon(
    _ entry: ZIPDirectory.Entry, size: Int, compressedSize: Int, _ extra: Data,
    to header: inout Data
  ) {
    let isASCII = entry.name.utf8.allSatisfy { $0 < 0x80 }
    header.append(integer: isASCII ? 0 : 0x800, as: UInt16.self)  // the name is UTF-8
    header.append(integer: entry.method.rawValue, as: UInt16.self)
    header.append(integer: 0, as: UInt16.self)  // 00:00:00
    header.append(integer: 1 << 5 | 1, as: UInt16.self)  // the first of January 1980
    header.append(integer: Int(entry.checksum), as: UInt32.self)
    header.append(integer: compressedSize, as: UInt32.self)
    header.append(integer: size, as: UInt32.self)
    header.append(integer: entry.name.utf8.count, as: UInt16.self)
    header.append(integer: extra.count, as: UInt16.self)
  }

  /// What stands behind the directory, which goes from `start` to `end`.
  private func end(count: Int, start: Int, end: Int) -> Data {
    var record = Data()
    let isLarge = count >= 0xFFFF || end >= smallestLarge
    if isLarge {
      record.append(integer: 0x0606_4B50, as: UInt32.self)
      record.append(integer: 44, as: UInt64.self)  // what follows of this record
      record.append(integer: 3 << 8 | 45, as: UInt16.self)
      record.append(integer: 45, as: UInt16.self)
      record.append(integer: 0, as: UInt32.self)  // this disk
      record.append(integer: 0, as: UInt32.self)  // the directory's
      record.append(integer: count, as: UInt64.self)
      record.append(integer: count, as: UInt64.self)
      record.append(integer: end - start, as: UInt64.self)
      record.append(integer: start, as: UInt64.self)
      record.append(integer: 0x0706_4B50, as: UInt32.self)  // the locator
      record.append(integer: 0, as: UInt32.self)
      record.append(integer: end, as: UInt64.self)
      record.append(integer: 1, as: UInt32.self)
    }
    record.append(integer: 0x0605_4B50, as: UInt32.self)
    record.append(integer: 0, as: UInt32.self)  // disks
    record.append(integer: isLarge ? 0xFFFF : count, as: UInt16.self)
    record.append(integer: isLarge ? 0xFFFF : count, as: UInt16.self)
    record.append(integer: isLarge ? Self.fullField : end - start, as: UInt32.self)
    record.append(integer: isLarge ? Self.fullField : start, as: UInt32.self)
    record.append(integer: 0, as: UInt16.self)  // comment
    return record
  }
}
