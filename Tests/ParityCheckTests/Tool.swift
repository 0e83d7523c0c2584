import Foundation
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

  init(
    _ arguments: [String], program: URL = executable, environment: [String: String] = [:],
    in folder: String? = nil
  ) throws {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: folder ?? Repository.root)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    // Both stay far below a pipe's buffer.
    self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    self.errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    status = process.terminationStatus
  }

  var lines: [String] { output.split(separator: "\n").map(String.init) }

  /// Beside the test bundle, where SwiftPM builds it.
  private static let executable: URL = {
    #if os(macOS)
      let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") } ?? Bundle.main
      return bundle.bundleURL.deletingLastPathComponent().appending(path: "parity-check")
    #else
      return Bundle.main.bundleURL.appending(path: "parity-check")
    #endif
  }()
}
