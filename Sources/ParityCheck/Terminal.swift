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

  static func printError(_ line: String) {
    var bytes = Array((line + "\n").utf8)
    while !bytes.isEmpty {
      let written = write(STDERR_FILENO, bytes, bytes.count)
      guard written > 0 else { return }
      bytes.removeFirst(written)
    }
  }
}

enum Machine {
  static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }
}
