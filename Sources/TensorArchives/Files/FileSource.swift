import SystemPackage
import TensorCore

/// Elements that stand side by side in a file, in C order. They are read, not
/// mapped: what was looked at does not stay in memory.
final class FileSource: TensorSource {
  let header: TensorHeader
  private let path: String
  private let member: String?
  private let file: FileDescriptor
  /// Of the first element, in bytes.
  private let start: Int
  private let isBigEndian: Bool
  private let checksum: PiecewiseChecksum?

  /// - Throws: `ArchiveError` where the file can't be opened.
  init(
    _ header: TensorHeader, path: String, member: String?, start: Int, isBigEndian: Bool,
    checksum: PiecewiseChecksum? = nil
  ) throws(ArchiveError) {
    file = try ArchiveError.reading(path) {
      try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
    }
    self.header = header
    self.path = path
    self.member = member
    self.start = start
    self.isBigEndian = isBigEndian
    self.checksum = checksum
  }

  deinit { try? file.close() }

  func read(
    _ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ArchiveError) {
    let width = header.elementType.byteCount
    let offset = range.lowerBound * width
    let count = try ArchiveError.reading(path, member: member) {
      try file.fill(buffer, from: start + offset)
    }
    // The size was held against the header when it was opened.
    guard count == buffer.count else {
      throw ArchiveError(
        path: path, member: member,
        .truncated("the data", expectedBytes: buffer.count, foundBytes: count))
    }
    checksum?.add(UnsafeRawBufferPointer(buffer), at: offset)
    if isBigEndian { Self.swap(buffer, width: width) }
  }

  private static func swap(_ buffer: UnsafeMutableRawBufferPointer, width: Int) {
    switch width {
    case 2: swap(buffer, UInt16.self)
    case 4: swap(buffer, UInt32.self)
    default: swap(buffer, UInt64.self)
    }
  }

  @inline(__always)
  private static func swap<Word: FixedWidthInteger>(
    _ buffer: UnsafeMutableRawBufferPointer, _ type: Word.Type
  ) {
    for start in stride(from: 0, to: buffer.count, by: MemoryLayout<Word>.size) {
      let word = buffer.loadUnaligned(fromByteOffset: start, as: Word.self)
      buffer.storeBytes(of: word.byteSwapped, toByteOffset: start, as: Word.self)
    }
  }

  func verify() throws(ArchiveError) {
    guard let checksum, let (expected, found) = checksum.contradiction(of: header.byteCount)
    else { return }
    throw ArchiveError(
      path: path, member: member,
      .corrupt("CRC-32", expected: expected.description, found: found.description))
  }
}
