import SystemPackage

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

  /// Prints the lines, and does not keep them in a buffer that a crash would lose.
  /// A report that can't be written is an error of the run, and ends it.
  static func print(_ lines: [String]) {
    for line in lines { Swift.print(line) }
    guard fflush(nil) == 0 else {
      printError("parity-check: the report can't be written: \(Errno(rawValue: errno))")
      exit(70)
    }
  }

  static func printError(_ line: String) { writeError(line + "\n") }

  static func writeError(_ text: String) {
    // Where it can't be written, there is no place to say so.
    _ = try? FileDescriptor.standardError.writeAll(text.utf8)
  }
}

enum Machine {
  static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }
}
