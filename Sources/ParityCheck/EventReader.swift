import SystemPackage

/// Reads the events of a watched process out of the pipe, as they come.
struct EventReader {
  enum Result: Equatable {
    case event(WatchEvent)
    /// No event came before the deadline.
    case tooLate
    /// No more events will come: the process has ended.
    case end
  }

  private let pipe: FileDescriptor
  /// What was read, and is no whole event yet.
  private var bytes: [UInt8] = []

  init(_ pipe: FileDescriptor) { self.pipe = pipe }

  /// Waits for the next event.
  ///
  /// - Parameter deadline: how long, at most; nil to wait for ever.
  mutating func next(until deadline: ContinuousClock.Instant?) -> Result {
    while true {
      if let event = WatchEvent.take(from: &bytes) { return .event(event) }
      guard pipe.isReadable(by: deadline) else { return .tooLate }
      let part = try? [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
        count = try pipe.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      guard let part, !part.isEmpty else { return .end }
      bytes += part
    }
  }
}
