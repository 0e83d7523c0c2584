import SystemPackage

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

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
      guard pipe.isReady(for: POLLIN, until: deadline) else { return .tooLate }
      let part = try? [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
        count = try pipe.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      guard let part, !part.isEmpty else { return .end }
      bytes += part
    }
  }
}

extension FileDescriptor {
  /// Waits for one of `events`, as `poll` knows them, or for the other end of a pipe to
  /// be closed.
  ///
  /// - Parameter deadline: nil to wait for ever.
  /// - Returns: false where the deadline came first.
  func isReady(for events: CInt, until deadline: ContinuousClock.Instant?) -> Bool {
    var request = pollfd(fd: rawValue, events: Int16(events), revents: 0)
    while true {
      let left = deadline.map { max(0, ($0 - .now) / .milliseconds(1)).rounded(.up) } ?? -1
      let count = poll(&request, 1, CInt(min(left, Double(CInt.max))))
      // Of an error, whatever is done next with the descriptor tells.
      if count > 0 || (count < 0 && errno != EINTR) { return true }
      if let deadline, deadline <= .now { return false }
    }
  }
}
