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
    /// By a crash, as `reason` says, while it judged the cases at these places in the list of all.
    case crashed(reason: String, cases: [Int])

    /// Whether the child has ended itself, and has left nothing behind.
    var isOrderly: Bool { if case .exited(0..<128) = self { true } else { false } }
  }

  let process: pid_t
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
      let (own, other) = try FileDescriptor.socketPair(inherited: true)
      process = try Self.start(
        WatchInvitation(parent: getpid(), events: writing.rawValue, orders: other.rawValue))
      try other.close()
      orders.send(to: own)
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
  static var program: String? {
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

  /// Reads the child's events until it ends.
  ///
  /// - Parameter orders: gets the cases that the child prints.
  func watch(_ orders: inout WatchOrders) -> End {
    defer { try? events.close() }
    ForwardedSignals.hand(to: process)
    var reader = EventReader(events)
    var atWork: Set<Int> = []
    while let event = reader.next() {
      switch event {
      case .started(let place): atWork.insert(place)
      case .judged(let place): atWork.remove(place)
      case .printed(let printed): orders.printed.append(printed)
      }
    }
    return end(atWork)
  }

  /// The signals by which a mistake in a program ends it, or the system where the memory is full.
  private static let crashes = [SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGKILL]

  /// Waits until the child has ended, and says why.
  ///
  /// - Parameter atWork: the cases that it was judging.
  private func end(_ atWork: Set<Int>) -> End {
    var state: CInt = 0
    while waitpid(process, &state, 0) < 0, errno == EINTR {}
    let signal = state & 0x7F
    if signal == 0 { return .exited(state >> 8 & 0xFF) }
    guard Self.crashes.contains(signal) else { return .exited(128 + signal) }
    let reason =
      signal == SIGKILL
      ? "parity-check was killed while it judged this (signal 9; is the memory full?)"
      : "parity-check crashed on it (signal \(signal))"
    return .crashed(
      reason: atWork.isEmpty ? "ended by signal \(signal)" : reason, cases: atWork.sorted())
  }
}
