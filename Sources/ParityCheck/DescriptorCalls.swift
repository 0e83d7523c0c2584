import Platform
import SystemPackage

extension FileDescriptor {
  /// Keeps the programs that this process starts from inheriting the descriptor.
  func closeOnExecution() throws(Errno) {
    if fcntl(rawValue, F_SETFD, FD_CLOEXEC) != 0 { throw Errno(rawValue: errno) }
  }

  /// Waits until there is something to read, or the other end of the pipe is closed.
  ///
  /// - Parameter deadline: how long, at most; nil to wait for ever.
  /// - Returns: false where the deadline came first.
  func isReadable(by deadline: ContinuousClock.Instant?) -> Bool {
    isReady(for: POLLIN, by: deadline)
  }

  /// Waits until no process has the other end of the pipe open any more.
  func waitForClosing() { _ = isReady(for: 0, by: nil) }

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
}
