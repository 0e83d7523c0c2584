/// Keeps the last of what a program prints, however much it prints.
struct PrintedTail {
  private var bytes: [UInt8] = []
  /// Whether earlier bytes were dropped.
  private var isCut = false

  private static let byteLimit = 1 << 14
  private static let lineLimit = 20

  /// Adds what the program printed next.
  mutating func append(_ part: UnsafeRawBufferPointer) {
    bytes += part
    if bytes.count > 2 * Self.byteLimit {
      bytes.removeFirst(bytes.count - Self.byteLimit)
      isCut = true
    }
  }

  /// The last 20 lines, without blank ones at their end, and behind `…` where there were
  /// more.
  var text: String {
    let text = String(decoding: bytes, as: UTF8.self)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
    let shown = lines.suffix(Self.lineLimit)
    let isWhole = !isCut && shown.count == lines.count
    return ((isWhole ? [] : ["…"]) + shown).joined(separator: "\n")
  }
}
