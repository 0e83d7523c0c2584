#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The central directory of a ZIP file: what it holds and where.
///
/// Sizes are taken from here and never from the local headers, where writers
/// that stream leave them open.
/// Source: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
struct ZIPDirectory {
  struct Entry {
    enum Method: Int {
      case stored = 0
      case deflated = 8
    }

    let name: String
    let method: Method
    let checksum: UInt32
    let compressedSize: Int
    let size: Int
    let headerOffset: Int
  }

  let entries: [String: Entry]

  /// - Throws: `ArchiveError` where `bytes` are not a ZIP file, where it spans
  ///   disks or needs zip64, and where an entry is encrypted, compressed in
  ///   another way, stands twice, or claims more than its bytes can expand to.
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
    self.entries = entries
  }

  private static func endRecord(
    of bytes: Data, path: String
  ) throws(ArchiveError) -> (count: Int, directoryOffset: Int) {
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
    let count = try reader.integer(UInt16.self, of: "number of entries")
    let directorySize = try reader.integer(UInt32.self, of: "size of the directory")
    let directoryOffset = try reader.integer(UInt32.self, of: "offset of the directory")
    guard disk == 0, firstDisk == 0 else {
      throw reader.error(.unsupported("disks", expected: "one", found: "several"))
    }
    guard count < 0xFFFF, directoryOffset < 0xFFFF_FFFF else {
      throw reader.error(.unsupported("ZIP file", expected: "below 4 GiB", found: "zip64"))
    }
    guard directoryOffset + directorySize <= start else {
      throw reader.error(
        .corrupt(
          "central directory", expected: "its end at or before byte \(start)",
          found: "byte \(directoryOffset + directorySize)"))
    }
    return (count, directoryOffset)
  }

  private static func entry(from reader: inout ByteReader) throws(ArchiveError) -> Entry {
    reader.member = nil
    let what = "central directory"
    let signature = try reader.integer(UInt32.self, of: what)
    guard signature == 0x0201_4B50 else {
      throw reader.error(
        .corrupt(
          what, expected: "the signature 02014b50",
          found: hexadecimal(UInt64(signature), digits: 8)))
    }
    try reader.skip(4, of: what)  // versions
    let flags = try reader.integer(UInt16.self, of: what)
    let methodNumber = try reader.integer(UInt16.self, of: what)
    try reader.skip(4, of: what)  // time and date
    let checksum = try reader.integer(UInt32.self, of: what)
    let compressedSize = try reader.integer(UInt32.self, of: what)
    let size = try reader.integer(UInt32.self, of: what)
    let nameLength = try reader.integer(UInt16.self, of: what)
    let extraLength = try reader.integer(UInt16.self, of: what)
    let commentLength = try reader.integer(UInt16.self, of: what)
    try reader.skip(8, of: what)  // disk and attributes
    let headerOffset = try reader.integer(UInt32.self, of: what)
    let name = String(decoding: try reader.take(nameLength, of: what), as: UTF8.self)
    try reader.skip(extraLength + commentLength, of: what)

    reader.member = name
    guard flags & 1 == 0 else {
      throw reader.error(.unsupported("member", expected: "plain data", found: "encrypted data"))
    }
    guard let method = Entry.Method(rawValue: methodNumber) else {
      throw reader.error(
        .unsupported(
          "compression method", expected: "0 (stored) or 8 (deflated)", found: "\(methodNumber)"))
    }
    guard compressedSize < 0xFFFF_FFFF, size < 0xFFFF_FFFF, headerOffset < 0xFFFF_FFFF else {
      throw reader.error(.unsupported("member", expected: "below 4 GiB", found: "zip64"))
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
}
