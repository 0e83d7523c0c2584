import Platform

/// The machine's stack, and the bytes that it reads.
extension PickleMachine {
  mutating func push(_ value: PickleValue) { stack.append(value) }

  /// The number of values above the last mark, or on the whole stack where there is none.
  var available: Int { stack.count - (marks.last ?? 0) }

  func top() throws(ArchiveError.Reason) -> PickleValue {
    guard available > 0, let value = stack.last else { throw wrong("a value on the stack") }
    return value
  }

  func topObject(_ what: String) throws(ArchiveError.Reason) -> Int {
    guard case .object(let number) = try top() else { throw wrong(what) }
    return number
  }

  mutating func pop() throws(ArchiveError.Reason) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  mutating func pop(_ count: Int) throws(ArchiveError.Reason) -> [PickleValue] {
    guard available >= count else { throw wrong("\(count) values on the stack") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  mutating func popToMark() throws(ArchiveError.Reason) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw wrong("a mark on the stack") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  func wrong(_ expected: String) -> ArchiveError.Reason {
    .corrupt("pickle, before byte \(reader.offset)", expected: expected, found: "none")
  }

  // MARK: - Bytes

  private static let what = "pickle"

  /// The most bytes of a class's name with its module's.
  static let longestName = 1024

  mutating func integer<Field: FixedWidthInteger & UnsignedInteger>(
    _ type: Field.Type
  ) throws(ArchiveError.Reason) -> Int {
    try reader.integer(type, of: Self.what)
  }

  mutating func take(_ count: Int) throws(ArchiveError.Reason) -> Data {
    try reader.take(count, of: Self.what)
  }

  mutating func skip(_ count: Int) throws(ArchiveError.Reason) {
    try reader.skip(count, of: Self.what)
  }

  /// The bytes behind their number.
  mutating func bytes<Field: FixedWidthInteger & UnsignedInteger>(
    _ type: Field.Type
  ) throws(ArchiveError.Reason) -> Data {
    try take(try integer(type))
  }

  /// The text up to the end of a line.
  mutating func line() throws(ArchiveError.Reason) -> String {
    let start = reader.bytes.startIndex + reader.offset
    let rest = reader.bytes[start...].prefix(Self.longestName + 1)
    guard let end = rest.firstIndex(of: 0x0A) else {
      guard rest.count > Self.longestName else {
        throw .truncated(Self.what, expectedBytes: rest.count + 1, foundBytes: rest.count)
      }
      throw .unsupported(
        "class in the pickle", expected: "a name of at most \(Self.longestName) bytes",
        found: "more")
    }
    let line = try take(end - start)
    try skip(1)
    return text(line)
  }
}
