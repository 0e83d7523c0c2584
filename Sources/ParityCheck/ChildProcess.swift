import Platform
import SystemPackage
import TensorArchives

/// This same program, started once more with the same arguments, and watched.
struct ChildProcess {
  /// Why it ended.
  enum End {
    /// For a reason of its own, or by somebody's request; with the status that this process
    /// is to end with.
    case exited(CInt)
    /// Because libhdf5 crashed on the file at `path`, or did not return; `reason` says which.
    case libraryFailed(path: String, reason: String)
  }

  private let process: pid_t
  /// The end of the pipe from which the child's events are read.
  private let events: FileDescriptor

  /// Starts the child.
  ///
  /// - Throws: `Errno` where the system refuses.
  init(_ orders: WatchOrders) throws {
    // The child has to inherit the end that events are written to. This process must not
    // keep it open, or it would never see the pipe's end.
    let (events, writing) = try FileDescriptor.pipe()
    defer { try? writing.close() }
    do {
      try events.closeOnExecution()
      let file = try orders.file()
      defer { try? file.close() }
      process = try Self.start(
        WatchInvitation(parent: getpid(), events: writing.rawValue, orders: file.rawValue))
    } catch {
      try? events.close()
      throw error
    }
    self.events = events
  }

  /// - Returns: the number of the new process.
  private static func start(_ invitation: WatchInvitation) throws -> pid_t {
    guard let program else { throw Errno.noSuchFileOrDirectory }
    var environment = ProcessInfo.processInfo.environment
    environment[WatchInvitation.variable] = invitation.text
    environment[Supervisor.backtraces] = environment[Supervisor.backtraces] ?? "enable=no"
    let arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    let variables = environment.map { strdup($0 + "=" + $1) } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var process: pid_t = 0
    let error = posix_spawn(&process, program, nil, nil, arguments, variables)
    guard error == 0 else { throw Errno(rawValue: error) }
    return process
  }

  /// The path of this program's file, whatever name it was called by; nil where the system does
  /// not know it.
  private static var program: String? {
    #if canImport(Darwin)
      var size: UInt32 = 0
      _ = _NSGetExecutablePath(nil, &size)
      var path = [CChar](repeating: 0, count: Int(size))
      guard _NSGetExecutablePath(&path, &size) == 0 else { return nil }
      return FileBoundary.resolved(String(cString: path))
    #else
      return FileBoundary.resolved("/proc/self/exe")
    #endif
  }

  /// Reads the child's events until it ends. A child in which libhdf5 does not return in
  /// time is killed.
  ///
  /// - Parameter printed: is increased by one for each case that the child prints.
  func watch(counting printed: inout Int) -> End {
    defer { try? events.close() }
    var reader = EventReader(events)
    var atWork: (path: String, until: ContinuousClock.Instant)?
    while true {
      switch reader.next(until: atWork?.until) {
      case .event(.entered(let path)): atWork = (path, .now + Self.limit(for: path))
      case .event(.left): atWork = nil
      case .event(.printedCase): printed += 1
      case .tooLate:
        kill(process, SIGKILL)
        return end(atWork?.path, isKilled: true)
      case .end:
        return end(atWork?.path, isKilled: false)
      }
    }
  }

  /// The signals by which a mistake in a library ends a process, and nobody from outside.
  private static let crashes = [SIGSEGV, SIGBUS, SIGABRT, SIGFPE]
  /// The signals by which people end a process.
  private static let requests = [SIGINT, SIGTERM, SIGHUP, SIGPIPE]

  /// Waits until the child has ended, and says why.
  ///
  /// - Parameters:
  ///   - path: the file that libhdf5 was at work on; nil where it was not at work.
  ///   - isKilled: whether this process has ended the child.
  private func end(_ path: String?, isKilled: Bool) -> End {
    var state: CInt = 0
    while waitpid(process, &state, 0) < 0, errno == EINTR {}
    let signal = state & 0x7F
    if signal == 0 { return .exited(state >> 8 & 0xFF) }
    if let path, isKilled {
      let seconds = Self.limit(for: path).components.seconds
      return .libraryFailed(path: path, reason: "libhdf5 gave no answer for \(seconds) s")
    }
    if let path, Self.crashes.contains(signal) {
      return .libraryFailed(path: path, reason: "libhdf5 crashed on it (signal \(signal))")
    }
    if Self.requests.contains(signal) { return .exited(128 + signal) }
    Terminal.printError("parity-check: internal error: ended by signal \(signal)")
    return .exited(70)
  }

  /// How long libhdf5 may take for one dataset, or for the list of all: 30 seconds, and one
  /// more for each 10 MB of the file, which even a slow disk gives. The variable
  /// `PARITY_CHECK_WATCH_SECONDS` is for tests.
  private static func limit(for path: String) -> Duration {
    givenLimit ?? .seconds(30 + ((try? Stat(path).size) ?? 0) / 10_000_000)
  }

  private static let givenLimit = ProcessInfo.processInfo.environment["PARITY_CHECK_WATCH_SECONDS"]
    .flatMap(UInt32.init).map { Duration.seconds(Int($0)) }
}
