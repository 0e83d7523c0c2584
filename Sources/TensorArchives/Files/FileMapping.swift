#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file's bytes, in place where that pays. (Foundation's `.mappedIfSafe` maps
/// nothing on Linux.) A file that is cut off while it is mapped ends the process
/// with SIGBUS: fixtures are not written while they are judged.
enum FileMapping {
  /// Below this, a copy costs less than a mapping.
  private static let smallest = 64 << 10

  /// - Returns: nil, and the reason in `errno`, where the system refuses. O(1), but
  ///   O(bytes) for a small file.
  static func bytes(of path: String) -> Data? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    let size = Int(status.st_size)
    return size < smallest ? copy(descriptor, size) : map(descriptor, size)
  }

  private static func map(_ descriptor: CInt, _ size: Int) -> Data? {
    let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address, address != MAP_FAILED else { return nil }
    return Data(bytesNoCopy: address, count: size, deallocator: .custom { _ = munmap($0, $1) })
  }

  /// As many bytes as the file says it has: those that the system makes up (under
  /// `/proc`) say 0, and some of them never end.
  private static func copy(_ descriptor: CInt, _ size: Int) -> Data? {
    var bytes = [UInt8](repeating: 0, count: size)
    var filled = 0
    while filled < size {
      let count = bytes.withUnsafeMutableBytes { buffer in
        read(
          descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).baseAddress,
          size - filled)
      }
      if count < 0 { return nil }
      if count == 0 { break }
      filled += count
    }
    return Data(bytes[..<filled])
  }
}
