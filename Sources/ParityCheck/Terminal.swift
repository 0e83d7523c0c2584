import ArgumentParser
import ParityJudging
import ParityReports
import Platform
import Synchronization
import SystemPackage

/// What is printed, and what is known of whoever reads it.
enum Terminal {
  /// Whether standard output is a terminal, and NO_COLOR is not set
  /// (no-color.org: to anything but nothing).
  static var wantsColor: Bool {
    let noColor = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
    return noColor.isEmpty && isatty(STDOUT_FILENO) == 1
  }

  /// Whether there is somebody to see progress: both the report and the errors go
  /// to a terminal that can erase a line.
  static var showsProgress: Bool {
    let terminal = ProcessInfo.processInfo.environment["TERM"] ?? ""
    return isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && !terminal.isEmpty
      && terminal != "dumb"
  }

  private static let isSilenced = Atomic<Bool>(false)

  /// Prints no more lines from now on: what is still judged is spoiled by its end.
  static func silence() { isSilenced.store(true, ordering: .sequentiallyConsistent) }

  /// Prints lines to the standard output at once: a crash must not lose what stands in a
  /// buffer. Ends the process with the status 70 where they can't be written.
  static func print(_ lines: [String]) {
    guard !isSilenced.load(ordering: .sequentiallyConsistent) else { return }
    for line in lines { Swift.print(line) }
    guard fflush(nil) == 0 else {
      printError("parity-check: the report can't be written: \(Errno(rawValue: errno))")
      exit(70)
    }
  }

  /// Prints an error that keeps a command from having an answer, and ends its run with the
  /// status for that.
  static func fail(_ message: String) throws -> Never {
    printError("error: " + Style.printable(message))
    throw ExitCode(RunStatus.unusable.rawValue)
  }

  /// Prints a line to the standard error.
  static func printError(_ line: String) { writeError(line + "\n") }

  /// Writes text to the standard error, without the end of a line.
  static func writeError(_ text: String) {
    // Where it can't be written, there is no place to say so.
    _ = try? FileDescriptor.standardError.writeAll(text.utf8)
  }
}
