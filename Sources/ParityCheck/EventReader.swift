import SystemPackage

/// The events of a watched process, as they come out of the pipe.
struct EventReader {
  enum Result: Equatable {
    case event(WatchEvent)
    /// The deadline came first.
    case tooLate
    /// The process has closed the pipe, which it does when it ends.
    case end
  }

  private let pipe: FileDescriptor
  /// What was read and is not yet a whole event.
  private var bytes: [UInt8] = []

  init(_ pipe: FileDescriptor) { self.pipe = pipe }

  /// - Parameter deadline: nil to wait for ever.
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
