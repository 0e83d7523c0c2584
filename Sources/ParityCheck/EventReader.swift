import SystemPackage

/// Reads the events of a watched process out of the pipe, as they come.
struct EventReader {
  private let pipe: FileDescriptor
  /// What was read, and is no whole event yet.
  private var bytes: [UInt8] = []

  init(_ pipe: FileDescriptor) { self.pipe = pipe }

  /// Waits for the next event.
  ///
  /// - Returns: nil where no more will come: the process has ended.
  mutating func next() -> WatchEvent? {
    while true {
      if let event = WatchEvent.take(from: &bytes) { return event }
      let part = try? [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
        count = try pipe.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      guard let part, !part.isEmpty else { return nil }
      bytes += part
    }
  }
}
