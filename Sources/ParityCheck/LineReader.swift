#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Lines out of a pipe, as they come.
struct LineReader {
  enum Result: Equatable {
    /// Without its end.
    case line(String)
    case tooLate
    /// Of the pipe; what stands behind the last line's end is no line.
    case end
  }

  private let descriptor: CInt
  private var bytes: [UInt8] = []

  init(descriptor: CInt) { self.descriptor = descriptor }

  /// - Parameter deadline: nil to wait for ever.
  mutating func next(until deadline: ContinuousClock.Instant?) -> Result {
    while true {
      if let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: bytes[..<newline], as: UTF8.self)
        bytes.removeFirst(newline + 1)
        return .line(line)
      }
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      switch poll(&request, 1, Self.milliseconds(until: deadline)) {
      case 0:
        if let deadline, deadline <= .now { return .tooLate }
      case 1...:
        guard readMore() else { return .end }
      default:
        if errno != EINTR { return .end }
      }
    }
  }

  private static func milliseconds(until deadline: ContinuousClock.Instant?) -> CInt {
    guard let deadline else { return -1 }
    let left = (deadline - .now) / .milliseconds(1)
    return CInt(min(max(0, left.rounded(.up)), Double(CInt.max)))
  }

  private mutating func readMore() -> Bool {
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      bytes += piece[..<count]
      return true
    }
  }
}
