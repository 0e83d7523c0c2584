/// What a program printed.
struct Printed: Sendable, Equatable {
  var output = PrintedLines()
  var errors = PrintedLines()

  /// The lines of its standard output and then those of its standard error, each as far as they
  /// are kept. In which order the two were printed is not known.
  var text: String { [output.text, errors.text].filter { !$0.isEmpty }.joined(separator: "\n") }

  /// The last line of its standard error, or else of its standard output, without blanks around
  /// it; nil where it printed neither.
  var lastLine: String? { errors.lastLine ?? output.lastLine }
}

/// Keeps the first and the last of what a program prints, however much it prints: a crash of a
/// Swift program is told at the start of its backtrace, and an exception of Python's at the end.
struct PrintedLines: Sendable, Equatable {
  /// The first 16 KiB.
  private var head: [UInt8] = []
  /// What comes behind `head`: all of it, or the last 16 KiB at least.
  private var tail: [UInt8] = []
  /// Whether bytes between the two were dropped.
  private var isCut = false

  private static let byteLimit = 1 << 14
  private static let lineLimit = 12

  /// Adds what the program printed next.
  mutating func append(_ part: UnsafeRawBufferPointer) {
    let room = Self.byteLimit - head.count
    head += part.prefix(room)
    tail += part.dropFirst(room)
    if tail.count > 2 * Self.byteLimit {
      tail.removeFirst(tail.count - Self.byteLimit)
      isCut = true
    }
  }

  /// The first 12 lines and the last 12, with `…` between them where there were more, and
  /// without blank lines at the end.
  var text: String {
    let (first, last) = isCut ? (lines(of: head), lines(of: tail)) : (lines(of: head + tail), [])
    guard isCut || first.count > 2 * Self.lineLimit else { return first.joined(separator: "\n") }
    return (first.prefix(Self.lineLimit) + ["…"] + (isCut ? last : first).suffix(Self.lineLimit))
      .joined(separator: "\n")
  }

  /// The last line that is not blank, without blanks around it; nil where there is none.
  var lastLine: String? {
    let last = lines(of: isCut ? tail : head + tail).last { !$0.allSatisfy(\.isWhitespace) }
    guard let last = last?.drop(while: \.isWhitespace) else { return nil }
    let blanks = last.reversed().prefix(while: \.isWhitespace).count
    return String(last.dropLast(blanks))
  }

  /// The lines of some bytes, without blank ones at the end.
  private func lines(of bytes: [UInt8]) -> [String] {
    var lines = String(decoding: bytes, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
    return lines
  }
}
