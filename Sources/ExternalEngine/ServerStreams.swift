import Platform
import SystemPackage
import TensorArchives

/// The standard output and standard error of a program that answers in lines, read at the same time:
/// a program whose output nobody takes waits for ever.
struct ServerStreams {
  /// What came of waiting for a line.
  enum Next: Equatable {
    /// A line without its end, or the start of one that is too long to be an answer.
    case line(String)
    /// The standard output is closed.
    case closed
    /// The deadline came first.
    case late
  }

  private let output: FileDescriptor
  private let errors: FileDescriptor
  private var isOutputOpen = true
  private var areErrorsOpen = true
  /// What came from the standard output and was not taken yet.
  private var pending: [UInt8] = []
  /// What came from the standard error since `forgetPrinted()`.
  private var printedErrors = PrintedLines()

  /// More than an answer takes, with a backtrace as its reason.
  private static let longestLine = 1 << 20

  /// - Parameters:
  ///   - output: the end of a pipe from which the standard output is read.
  ///   - errors: the same of the standard error.
  init(output: FileDescriptor, errors: FileDescriptor) {
    self.output = output
    self.errors = errors
  }

  /// What was printed and is no line that was taken.
  var printed: Printed {
    var lines = PrintedLines()
    pending.withUnsafeBytes { lines.append($0) }
    return Printed(output: lines, errors: printedErrors)
  }

  /// The start of a line without its end; nil where nothing was printed since the last line.
  var startOfLine: String? { pending.isEmpty ? nil : String(decoding: pending, as: UTF8.self) }

  /// Starts anew to collect what is printed to the standard error.
  mutating func forgetPrinted() { printedErrors = PrintedLines() }

  /// Takes the next line of the standard output.
  mutating func next(by deadline: ContinuousClock.Instant) -> Next {
    while true {
      if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: pending[..<end], as: UTF8.self)
        pending.removeSubrange(...end)
        return .line(line)
      }
      if pending.count > Self.longestLine {
        return .line(String(decoding: pending, as: UTF8.self))
      }
      guard isOutputOpen else { return .closed }
      guard read(by: deadline), deadline > .now else { return .late }
    }
  }

  /// Takes all that was printed before now.
  mutating func readWhatIsThere() {
    // Each call takes what a pipe holds; a program that prints on and on is not waited for.
    for _ in 0..<16 where !read(by: .now) { return }
  }

  /// Waits until either of the two has something, or is closed, and takes it.
  ///
  /// - Returns: false where the deadline came first.
  private mutating func read(by deadline: ContinuousClock.Instant) -> Bool {
    // poll passes over negative numbers.
    var requests = [(output, isOutputOpen), (errors, areErrorsOpen)].map {
      pollfd(fd: $1 ? $0.rawValue : -1, events: Int16(POLLIN), revents: 0)
    }
    let left = max(0, (deadline - .now) / .milliseconds(1)).rounded(.up)
    let count = poll(&requests, 2, CInt(min(left, Double(CInt.max))))
    guard count > 0 else { return count < 0 && errno == EINTR }
    if requests[0].revents != 0 {
      let part = Self.part(of: output)
      isOutputOpen = !part.isEmpty
      pending += part
    }
    if requests[1].revents != 0 {
      let part = Self.part(of: errors)
      areErrorsOpen = !part.isEmpty
      part.withUnsafeBytes { printedErrors.append($0) }
    }
    return true
  }

  /// What is there; empty at the end, and where the system refuses.
  private static func part(of stream: FileDescriptor) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = bytes.withUnsafeMutableBytes { try? stream.read(into: $0) }
    return Array(bytes.prefix(count ?? 0))
  }

  /// Closes both.
  func close() {
    try? output.close()
    try? errors.close()
  }
}
