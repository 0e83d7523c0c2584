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

/// Runs this program as its own child, so that a file on which libhdf5 crashes or
/// loops costs that file and not the run: the child is started again, told to
/// leave the file alone, and prints on from where the other stopped. (Of 4,500
/// one-byte damages to small files, libhdf5 1.10.8 crashes on about one in a
/// thousand, and loops on nearly as many.)
///
/// With `PARITY_CHECK_WATCH=off` in the environment, for a debugger, there is no
/// child.
struct Supervisor {
  private var lost: [String: String] = [:]
  private var reported = 0

  /// Ends the process with the child's status. Returns where this is the child, or
  /// none can be started.
  static func run() {
    let environment = ProcessInfo.processInfo.environment
    guard environment[HDF5Watch.Key.descriptor] == nil else { return }
    var supervisor = Supervisor()
    while let child = Child(environment.merging(supervisor.additions) { $1 }) {
      let end = child.watch()
      supervisor.reported = max(supervisor.reported, end.reported)
      guard let path = end.lostOn, supervisor.lost[path] == nil else { exit(end.status) }
      supervisor.lost[path] = end.words
    }
  }

  private var additions: [String: String] {
    [
      HDF5Watch.Key.lost: HDF5Watch.encode(lost), HDF5Watch.Key.reported: "\(reported)",
      // Whoever crashes is told of in one line.
      "SWIFT_BACKTRACE": ProcessInfo.processInfo.environment["SWIFT_BACKTRACE"] ?? "enable=no",
    ]
  }
}

/// How a child ended.
private struct ChildEnd {
  /// Cases printed.
  var reported = 0
  /// The file that libhdf5 was at work on, where that is why the child ended.
  var lostOn: String?
  var words = ""
  var status: CInt = 0
}

private struct Child {
  private let process: pid_t
  /// The end of the pipe from which the child's events are read.
  private let events: CInt

  /// nil where the system starts none.
  init?(_ environment: [String: String]) {
    var ends: [CInt] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    var environment = environment
    environment[HDF5Watch.Key.descriptor] = "\(ends[1])"
    let arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    let variables = environment.map { strdup($0 + "=" + $1) } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var process: pid_t = 0
    let status = posix_spawnp(&process, CommandLine.arguments[0], nil, nil, arguments, variables)
    close(ends[1])
    guard status == 0 else {
      close(ends[0])
      return nil
    }
    self.process = process
    events = ends[0]
  }

  /// Reads the child's events until it ends.
  func watch() -> ChildEnd {
    defer { close(events) }
    var end = ChildEnd()
    var text = ""
    var atWork: (path: String, until: ContinuousClock.Instant)?
    var isKilled = false
    while true {
      let wait = atWork.map { max(0, Int32(($0.until - .now) / .milliseconds(1))) } ?? -1
      var request = pollfd(fd: events, events: Int16(POLLIN), revents: 0)
      let count = poll(&request, 1, wait)
      if count < 0, errno == EINTR { continue }
      if count == 0 {
        isKilled = true
        kill(process, SIGKILL)
        break
      }
      guard let more = read() else { break }
      text += more
      while let newline = text.firstIndex(of: "\n") {
        switch HDF5Watch.event(text[..<newline]) {
        case .entered(let path): atWork = (path, .now + Self.limit(for: path))
        case .left: atWork = nil
        case .reported: end.reported += 1
        case nil: break
        }
        text = String(text[text.index(after: newline)...])
      }
    }
    finish(&end, atWork?.path, isKilled: isKilled)
    return end
  }

  private func finish(_ end: inout ChildEnd, _ path: String?, isKilled: Bool) {
    var state: CInt = 0
    while waitpid(process, &state, 0) < 0, errno == EINTR {}
    let signal = state & 0x7F
    if signal == 0 {
      end.status = state >> 8 & 0xFF
    } else if let path, ![SIGINT, SIGTERM, SIGHUP, SIGPIPE].contains(signal) {
      end.lostOn = path
      end.words =
        isKilled
        ? "libhdf5 gave no answer for \(Self.limit(for: path).components.seconds) s"
        : "libhdf5 crashed on it (signal \(signal))"
    } else if [SIGINT, SIGTERM, SIGHUP, SIGPIPE].contains(signal) {
      end.status = 128 + signal
    } else {
      Terminal.printError("parity-check: internal error: ended by signal \(signal)")
      end.status = 70
    }
  }

  /// nil at the end of the pipe.
  private func read() -> String? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = bytes.withUnsafeMutableBytes { buffer in
        #if canImport(Darwin)
          Darwin.read(events, buffer.baseAddress, buffer.count)
        #elseif canImport(Glibc)
          Glibc.read(events, buffer.baseAddress, buffer.count)
        #else
          Musl.read(events, buffer.baseAddress, buffer.count)
        #endif
      }
      if count < 0, errno == EINTR { continue }
      return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
  }

  /// How long libhdf5 may take for one dataset, or for the list of all: what even
  /// a slow disk gives, and then some.
  private static func limit(for path: String) -> Duration {
    let environment = ProcessInfo.processInfo.environment
    if let seconds = environment[HDF5Watch.Key.seconds].flatMap({ Int($0) }) {
      return .seconds(seconds)
    }
    let size = (try? FileBytes.read(path).count) ?? 0
    return .seconds(30 + size / 10_000_000)
  }
}
