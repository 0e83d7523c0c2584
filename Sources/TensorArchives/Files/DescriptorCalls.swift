import Platform
package import SystemPackage

extension FileDescriptor {
  /// Keeps the programs that this process starts from inheriting the descriptor.
  package func closeOnExecution() throws(Errno) {
    if fcntl(rawValue, F_SETFD, FD_CLOEXEC) != 0 { throw Errno(rawValue: errno) }
  }

  /// Waits until there is something to read, or the other end of the pipe is closed.
  ///
  /// - Parameter deadline: how long, at most; nil to wait for ever.
  /// - Returns: false where the deadline came first.
  package func isReadable(by deadline: ContinuousClock.Instant?) -> Bool {
    isReady(for: POLLIN, by: deadline)
  }

  /// Waits until no process has the other end of the pipe open any more.
  package func waitForClosing() { _ = isReady(for: 0, by: nil) }

  /// - Parameter events: what to wait for, as `poll` knows it, beside the end of the pipe.
  private func isReady(for events: CInt, by deadline: ContinuousClock.Instant?) -> Bool {
    var request = pollfd(fd: rawValue, events: Int16(events), revents: 0)
    while true {
      let left = deadline.map { max(0, ($0 - .now) / .milliseconds(1)).rounded(.up) } ?? -1
      let count = poll(&request, 1, CInt(min(left, Double(CInt.max))))
      // Whatever is done next with the descriptor meets the same error, and reports it.
      if count > 0 || (count < 0 && errno != EINTR) { return true }
      if let deadline, deadline <= .now { return false }
    }
  }

  /// The ends of a pipe, which no other program inherits.
  package static func unsharedPipe() throws -> (readEnd: FileDescriptor, writeEnd: FileDescriptor) {
    #if canImport(Darwin)
      let (reading, writing) = try FileDescriptor.pipe()
      try reading.closeOnExecution()
      try writing.closeOnExecution()
      return (reading, writing)
    #else
      // In one call: another thread may start a program at any time.
      return try FileDescriptor.pipe(options: .closeOnExec)
    #endif
  }

  /// Two ends of a channel in both directions. No other program inherits the first.
  ///
  /// - Parameter inherited: whether programs inherit the second.
  package static func socketPair(
    inherited: Bool = false
  ) throws(Errno) -> (FileDescriptor, FileDescriptor) {
    var ends: [CInt] = [0, 0]
    #if canImport(Darwin)
      let stream = SOCK_STREAM
    #else
      let stream = CInt(SOCK_STREAM.rawValue)
    #endif
    guard socketpair(AF_UNIX, stream, 0, &ends) == 0 else { throw Errno(rawValue: errno) }
    let (one, other) = (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
    try one.closeOnExecution()
    if !inherited { try other.closeOnExecution() }
    #if canImport(Darwin)
      var on: CInt = 1
      setsockopt(ends[0], SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<CInt>.size))
    #endif
    return (one, other)
  }

  /// Writes all of `bytes` to a socket, without a signal where nobody is at the other end.
  ///
  /// - Returns: whether they were written.
  package func sendWithoutSignal(_ bytes: [UInt8]) -> Bool {
    #if canImport(Darwin)
      let flags: CInt = 0
    #else
      let flags = CInt(MSG_NOSIGNAL)
    #endif
    return bytes.withUnsafeBytes { buffer in
      var sent = 0
      while sent < buffer.count {
        let rest = UnsafeRawBufferPointer(rebasing: buffer[sent...])
        let count = send(rawValue, rest.baseAddress, rest.count, flags)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        sent += count
      }
      return true
    }
  }

  /// Exactly so many bytes; nil where the other end is closed before.
  package func bytes(_ count: Int) -> [UInt8]? {
    let bytes = bytes(upTo: count)
    return bytes?.count == count ? bytes : nil
  }

  /// All bytes before the end, or before the system refuses.
  package func bytesToTheEnd() -> [UInt8] {
    var bytes: [UInt8] = []
    while let part = self.bytes(upTo: 1 << 16), !part.isEmpty { bytes += part }
    return bytes
  }

  /// So many bytes, or all there are before the end; nil where the system refuses.
  func bytes(upTo count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let read = bytes.withUnsafeMutableBytes { buffer in
        try? self.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
      }
      guard let read else { return nil }
      if read == 0 { break }
      filled += read
    }
    return Array(bytes.prefix(filled))
  }
}
