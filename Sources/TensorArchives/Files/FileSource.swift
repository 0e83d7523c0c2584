import SystemPackage
import TensorCore

/// A tensor whose elements stand side by side in a file, in C order. They are read and
/// not mapped, so that what was looked at does not stay in memory.
final class FileSource: TensorSource {
  let header: TensorHeader
  private let path: String
  private let member: String?
  private let file: FileDescriptor
  /// Where the first element starts, in bytes from the file's first.
  private let start: Int
  private let isBigEndian: Bool
  /// Of the bytes that are read; nil where the file states none.
  private let checksum: PiecewiseChecksum?

  /// - Parameters: as the properties of the same names.
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
    // All elements were there when the file was opened; it was cut off since.
    guard count == buffer.count else {
      throw ArchiveError(
        path: path, member: member,
        .truncated("the data", expectedBytes: buffer.count, foundBytes: count))
    }
    checksum?.add(UnsafeRawBufferPointer(buffer), at: offset)
    if isBigEndian { buffer.reverseBytes(ofNumbersOf: width) }
  }

  func verify() throws(ArchiveError) {
    try ArchiveError.locating(path, member: member) { () throws(ArchiveError.Reason) in
      try checksum?.verify(count: header.byteCount)
    }
  }
}
