/// An event that a watched process reports to the one that watches it, through a pipe.
///
/// In the pipe, an event is one byte for its kind, the number of bytes of the path in 32
/// bits, little-endian, and the path in UTF-8, which is empty but for `entered`. So no
/// character of a path has a meaning, whatever somebody calls a file.
enum WatchEvent: Equatable {
  /// libhdf5 starts to work on the file at this path.
  case entered(String)
  /// libhdf5 has returned.
  case left
  /// The report of one more case was printed.
  case printedCase

  private var kind: UInt8 {
    switch self {
    case .entered: 1
    case .left: 2
    case .printedCase: 3
    }
  }

  /// The event as it is written to the pipe.
  var bytes: [UInt8] {
    let path = if case .entered(let path) = self { Array(path.utf8) } else { [UInt8]() }
    return withUnsafeBytes(of: UInt32(path.count).littleEndian) { [kind] + $0 + path }
  }

  /// Takes the first event from the front of `bytes`.
  ///
  /// - Returns: the event; nil, with `bytes` as they were, where they do not hold all of it.
  static func take(from bytes: inout [UInt8]) -> WatchEvent? {
    guard bytes.count >= 5 else { return nil }
    let end = 5 + bytes[1..<5].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count >= end else { return nil }
    defer { bytes.removeFirst(end) }
    switch bytes[0] {
    case 1: return .entered(String(decoding: bytes[5..<end], as: UTF8.self))
    case 2: return .left
    default: return .printedCase
    }
  }
}
