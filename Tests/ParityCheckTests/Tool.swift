import Foundation
import Synchronization
import TestSupport

/// The built `parity-check`, run as a user runs it.
struct Tool {
  let status: Int32
  let output: String
  let errors: String

  init(_ arguments: String..., in folder: String? = nil) throws {
    try self.init(arguments, in: folder)
  }

  /// Runs a command of the shell whose `$0` is the tool.
  init(shell command: String, in folder: String) throws {
    try self.init(
      ["-c", command, Self.executable.path], program: URL(filePath: "/bin/bash"), in: folder)
  }

  /// - Parameter environment: what differs from the tests' own; nil for a variable that
  ///   the tool is not to see.
  init(
    _ arguments: [String], program: URL = executable, environment: [String: String?] = [:],
    in folder: String? = nil
  ) throws {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: folder ?? Repository.root)
    process.environment = environment.reduce(into: ProcessInfo.processInfo.environment) {
      $0[$1.key] = $1.value
    }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    (self.output, self.errors) = Self.contents(of: output, errors)
    process.waitUntilExit()
    status = process.terminationStatus
  }

  /// Reads both pipes at the same time: a program whose output nobody takes waits when
  /// a pipe's buffer is full, and would never close the other pipe.
  private static func contents(of output: Pipe, _ errors: Pipe) -> (String, String) {
    let text = Mutex("")
    let isRead = DispatchSemaphore(value: 0)
    // A thread of its own, which waits for no other test's.
    Thread.detachNewThread {
      let bytes = errors.fileHandleForReading.readDataToEndOfFile()
      text.withLock { $0 = String(decoding: bytes, as: UTF8.self) }
      isRead.signal()
    }
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    isRead.wait()
    return (String(decoding: bytes, as: UTF8.self), text.withLock { $0 })
  }

  var lines: [String] { output.split(separator: "\n").map(String.init) }

  /// Beside the test bundle, where SwiftPM builds it.
  static let executable: URL = {
    #if os(macOS)
      let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") } ?? Bundle.main
      return bundle.bundleURL.deletingLastPathComponent().appending(path: "parity-check")
    #else
      return Bundle.main.bundleURL.appending(path: "parity-check")
    #endif
  }()
}
