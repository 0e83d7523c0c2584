import Platform
package import SystemPackage

extension FileDescriptor {
  /// Fills `buffer` with the bytes of the file from `offset` on, however many.
  ///
  /// - Returns: how many there were; fewer than `buffer` holds only at the file's end.
  /// - Throws: `Errno` where the system refuses.
  package func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = buffer[filled...].prefix(Self.largestTransfer)
      let count = try read(
        fromAbsoluteOffset: Int64(offset + filled),
        into: UnsafeMutableRawBufferPointer(rebasing: rest))
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  /// Writes all of `bytes`, however many.
  ///
  /// - Throws: `Errno` where the system refuses.
  func write(whole bytes: UnsafeRawBufferPointer) throws {
    for start in stride(from: 0, to: bytes.count, by: Self.largestTransfer) {
      try writeAll(
        UnsafeRawBufferPointer(rebasing: bytes[start...].prefix(Self.largestTransfer)))
    }
  }

  /// The most bytes to read or write in one call; Darwin refuses 2 GiB.
  private static let largestTransfer = 1 << 30

  /// Waits until all that was written is on the disk.
  func synchronize() throws(Errno) {
    if fsync(rawValue) != 0 { throw Errno(rawValue: errno) }
  }

  /// The first `size` bytes of the file, at least one, mapped into memory.
  func mapping(_ size: Int) throws(Errno) -> Data {
    let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, rawValue, 0)
    guard let address, address != MAP_FAILED else { throw Errno(rawValue: errno) }
    return Data(bytesNoCopy: address, count: size, deallocator: .custom { _ = munmap($0, $1) })
  }
}

/// Calls of the system that swift-system 1.8 has no name for.
enum SystemCall {
  /// Moves a file or folder. A file that is at `other` already is replaced.
  static func move(_ path: String, to other: String) throws(Errno) {
    if rename(path, other) != 0 { throw Errno(rawValue: errno) }
  }

  /// The path from the root, without symbolic links.
  static func resolve(_ path: String) throws(Errno) -> String {
    guard let buffer = realpath(path, nil) else { throw Errno(rawValue: errno) }
    defer { free(buffer) }
    return String(cString: buffer)
  }
}

/// What the system calls an error, starting with a small letter.
///
/// - Parameter error: an `Errno`, or what Foundation makes of one.
package func systemWords(for error: any Error) -> String {
  let underlying = (error as? CocoaError)?.underlying as? POSIXError
  let number = error as? Errno ?? underlying.map { Errno(rawValue: $0.code.rawValue) }
  let words = number?.description ?? "\(error)"
  return words.prefix(1).lowercased() + words.dropFirst()
}
