import Synchronization
import TensorCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Elements that stand side by side in a file, in C order. They are read, not
/// mapped: what was looked at does not stay in memory.
final class FileSource: TensorSource {
  let header: TensorHeader
  private let path: String
  private let member: String?
  private let descriptor: CInt
  /// Of the first element, in bytes.
  private let start: Int
  private let isBigEndian: Bool
  private let checksum: PiecewiseChecksum?

  /// - Throws: `ArchiveError` where the file can't be opened.
  init(
    _ header: TensorHeader, path: String, member: String?, start: Int, isBigEndian: Bool,
    checksum: PiecewiseChecksum? = nil
  ) throws(ArchiveError) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw ArchiveError(
        path: path, .unreadable("can't be read (\(FileBytes.words(of: errno)))"))
    }
    self.header = header
    self.path = path
    self.member = member
    self.start = start
    self.isBigEndian = isBigEndian
    self.checksum = checksum
  }

  deinit { close(descriptor) }

  func read(
    _ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ArchiveError) {
    let width = header.elementType.byteCount
    let offset = range.lowerBound * width
    try fill(buffer, from: start + offset)
    checksum?.add(UnsafeRawBufferPointer(buffer), at: offset)
    if isBigEndian { Self.swap(buffer, width: width) }
  }

  private func fill(
    _ buffer: UnsafeMutableRawBufferPointer, from offset: Int
  ) throws(ArchiveError) {
    // Darwin refuses to read 2 GiB in one call.
    let largest = 1 << 30
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...].prefix(largest))
      let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw ArchiveError(
          path: path, member: member,
          .unreadable("can't be read (\(FileBytes.words(of: errno)))"))
      }
      // The size was held against the header when it was opened.
      guard count > 0 else {
        throw ArchiveError(
          path: path, member: member,
          .truncated("the data", expectedBytes: buffer.count, foundBytes: filled))
      }
      filled += count
    }
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

/// The checksum of data that is read in pieces, in any order.
final class PiecewiseChecksum: Sendable {
  private let head: CRC32
  private let expected: CRC32
  private let pieces = Mutex<[Int: (checksum: CRC32, count: Int)]>([:])

  /// - Parameters:
  ///   - head: of what stands before the data.
  ///   - expected: of both.
  init(head: CRC32, expected: CRC32) {
    self.head = head
    self.expected = expected
  }

  func add(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    var checksum = CRC32()
    checksum.update(bytes)
    pieces.withLock { [checksum] in $0[offset] = (checksum, bytes.count) }
  }

  /// What was expected and found where they differ; nil where they do not, and
  /// where the pieces do not make up `count` bytes.
  func contradiction(of count: Int) -> (expected: CRC32, found: CRC32)? {
    pieces.withLock { pieces in
      var (found, end) = (head, 0)
      for (offset, piece) in pieces.sorted(by: { $0.key < $1.key }) where offset == end {
        found.append(piece.checksum, of: piece.count)
        end += piece.count
      }
      return end == count && found.value != expected.value ? (expected, found) : nil
    }
  }
}
