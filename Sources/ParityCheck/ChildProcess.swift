import TensorArchives

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// This same program, started once more with the same arguments, and watched.
struct ChildProcess {
  /// How it ended.
  struct End {
    /// Cases printed, those of earlier children among them.
    var printed = 0
    /// The file that libhdf5 was at work on, where that is why the child ended.
    var lostOn: String?
    var words = ""
    /// For this process to end with.
    var status: CInt = 70
  }

  private let process: pid_t
  /// The end of the pipe from which the child's events are read.
  private let events: CInt

  /// nil where the system starts none.
  ///
  /// - Parameters:
  ///   - lost: the files that it is to leave alone, each with the reason.
  ///   - printed: how many cases it is not to print again.
  init?(_ environment: [String: String], lost: [String: String], printed: Int) {
    guard let program = Self.program else { return nil }
    // Both are inherited; the child alone closes its copies, when it ends.
    var ends: [CInt] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    defer { close(ends[1]) }
    guard let list = Self.unnamedFile(HDF5Watch.encode(lost)) else {
      close(ends[0])
      return nil
    }
    defer { close(list) }

    var environment = environment
    environment[HDF5Watch.Key.descriptor] = "\(ends[1])"
    environment[HDF5Watch.Key.lost] = "\(list)"
    environment[PrintedCases.key] = "\(printed)"
    // Whoever crashes is told of in one line.
    environment["SWIFT_BACKTRACE"] = environment["SWIFT_BACKTRACE"] ?? "enable=no"
    let arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    let variables = environment.map { strdup($0 + "=" + $1) } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var process: pid_t = 0
    guard posix_spawn(&process, program, nil, nil, arguments, variables) == 0 else {
      close(ends[0])
      return nil
    }
    self.process = process
    events = ends[0]
  }

  /// The file of this program: not what its caller chose to call it.
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

  /// A file that is gone when nobody has it open.
  private static func unnamedFile(_ text: String) -> CInt? {
    var name = Array((FileManager.default.temporaryDirectory.path + "/parity-XXXXXX").utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else { return nil }
    unlink(name)
    var bytes = Array(text.utf8)
    while !bytes.isEmpty {
      let written = write(descriptor, bytes, bytes.count)
      guard written > 0 else {
        close(descriptor)
        return nil
      }
      bytes.removeFirst(written)
    }
    return descriptor
  }

  /// Reads the child's events until it ends.
  func watch() -> End {
    defer { close(events) }
    var end = End()
    var lines = LineReader(descriptor: events)
    var atWork: (path: String, until: ContinuousClock.Instant)?
    var isKilled = false
    reading: while true {
      switch lines.next(until: atWork?.until) {
      case .line(PrintedCases.line): end.printed += 1
      case .line(let line):
        switch HDF5Watch.event(line) {
        case .entered(let path): atWork = (path, .now + Self.limit(for: path))
        case .left: atWork = nil
        case nil: break
        }
      case .tooLate:
        isKilled = true
        kill(process, SIGKILL)
        break reading
      case .end: break reading
      }
    }
    finish(&end, atWork?.path, isKilled: isKilled)
    return end
  }

  /// What a bug in a library, and nobody from outside, ends a process with.
  private static let crashes = [SIGSEGV, SIGBUS, SIGABRT, SIGFPE]
  /// What people end a process with.
  private static let requests = [SIGINT, SIGTERM, SIGHUP, SIGPIPE]

  private func finish(_ end: inout End, _ path: String?, isKilled: Bool) {
    var state: CInt = 0
    while waitpid(process, &state, 0) < 0, errno == EINTR {}
    let signal = state & 0x7F
    if signal == 0 {
      end.status = state >> 8 & 0xFF
    } else if let path, isKilled {
      end.lostOn = path
      end.words = "libhdf5 gave no answer for \(Self.limit(for: path).components.seconds) s"
    } else if let path, Self.crashes.contains(signal) {
      end.lostOn = path
      end.words = "libhdf5 crashed on it (signal \(signal))"
    } else if Self.requests.contains(signal) {
      end.status = 128 + signal
    } else {
      Terminal.printError("parity-check: internal error: ended by signal \(signal)")
    }
  }

  /// How long libhdf5 may take for one dataset, or for the list of all: what even
  /// a slow disk gives, and then some.
  private static func limit(for path: String) -> Duration {
    let environment = ProcessInfo.processInfo.environment
    if let seconds = environment[HDF5Watch.Key.seconds].flatMap({ UInt32($0) }) {
      return .seconds(Int(seconds))
    }
    let size = (try? FileBytes.read(path).count) ?? 0
    return .seconds(30 + size / 10_000_000)
  }
}
