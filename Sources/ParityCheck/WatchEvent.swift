import Platform

/// An event that a watched process reports to the one that watches it, through a pipe.
///
/// In the pipe, an event is one byte for its kind, the number of bytes that follow in 32 bits,
/// little-endian, and these: the case's place in the list of all cases as decimal digits, or the
/// JSON of a printed case.
enum WatchEvent: Equatable {
  /// The case at this place in the list of all cases is judged from now on.
  case started(Int)
  /// It has been judged.
  case judged(Int)
  /// The report of one more case was printed.
  case printed(PrintedCase)

  /// The event as it is written to the pipe.
  var bytes: [UInt8] {
    let (kind, rest): (UInt8, [UInt8]) =
      switch self {
      case .started(let place): (1, Array("\(place)".utf8))
      case .judged(let place): (2, Array("\(place)".utf8))
      case .printed(let printed): (3, (try? JSONEncoder().encode(printed)).map(Array.init) ?? [])
      }
    return withUnsafeBytes(of: UInt32(rest.count).littleEndian) { [kind] + $0 + rest }
  }

  /// Takes the first event from the front of `bytes`.
  ///
  /// - Returns: the event; nil, with `bytes` as they were, where they do not hold all of it, or
  ///   begin with none.
  static func take(from bytes: inout [UInt8]) -> WatchEvent? {
    guard bytes.count >= 5 else { return nil }
    let end = 5 + bytes[1..<5].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count >= end, let event = WatchEvent(bytes[0], bytes[5..<end]) else { return nil }
    bytes.removeFirst(end)
    return event
  }

  private init?(_ kind: UInt8, _ rest: ArraySlice<UInt8>) {
    let place = Int(String(decoding: rest, as: UTF8.self))
    switch (kind, place) {
    case (1, let place?): self = .started(place)
    case (2, let place?): self = .judged(place)
    default:
      guard let printed = try? JSONDecoder().decode(PrintedCase.self, from: Data(rest)) else {
        return nil
      }
      self = .printed(printed)
    }
  }
}
