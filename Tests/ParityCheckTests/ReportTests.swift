import Foundation
import TestSupport
import Testing

/// What people read is the same to the letter as it was: a report for each status, and the help
/// of each command. What a change means to change is recorded anew, and then read before it is
/// committed:
///
/// ```sh
/// PARITY_CHECK_RECORD=1 swift test --filter ReportTests
/// ```
@Suite struct ReportTests {
  /// `cases` are written by `tools/export_reported.py`; the other files are these reports.
  private static let folder = Repository.root + "/Tests/ParityCheckTests/Reports"
  /// Recording is not passing: a run that records fails.
  private static let isRecording =
    ProcessInfo.processInfo.environment["PARITY_CHECK_RECORD"] != nil

  /// Whoever runs the tests, on however wide a terminal.
  private static let environment: [String: String?] = [
    "COLUMNS": "80", "NO_COLOR": nil, "PARITY_CHECK_RECORD": nil,
  ]

  private func check(_ name: String, _ arguments: [String]) throws {
    let tool = try Tool(arguments, environment: Self.environment, in: Self.folder)
    // How long it took is the only thing that differs from run to run.
    let output = tool.output.replacing(#/ in [0-9.]+ s\n/#, with: " in 0.00 s\n")
    let text =
      "$ parity-check " + arguments.joined(separator: " ") + "\n" + output + tool.errors
      + "exit status \(tool.status)\n"
    let path = Self.folder + "/\(name).txt"
    if Self.isRecording {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      Issue.record("recorded \(path): read it, and run the tests without PARITY_CHECK_RECORD")
      return
    }
    let recorded = try String(contentsOfFile: path, encoding: .utf8)
    let differing = zip(
      text.split(separator: "\n", omittingEmptySubsequences: false),
      recorded.split(separator: "\n", omittingEmptySubsequences: false)
    ).first { $0 != $1 }
    #expect(
      text == recorded,
      "\(name): \(differing.map { "\n  is  \($0)\n  was \($1)" } ?? "another number of lines")")
  }

  @Test(arguments: [
    "passed", "failed", "failed-chain", "invalid", "unreadable", "inconclusive", "skipped",
  ])
  func statusIsReported(status: String) throws {
    try check(status, ["cases/\(status).npz"])
  }

  @Test func everythingIsReportedVerbosely() throws {
    try check("verbose", ["cases/passed.npz", "cases/failed-chain.npz", "--verbose"])
  }

  @Test func runIsReported() throws {
    try check("run", ["cases"])
    try check("quiet", ["cases", "--quiet"])
    try check("list", ["cases", "--list"])
  }

  @Test func otherCommandsAreReported() throws {
    try check("audit", ["audit", "cases", "--verbose"])
    try check("compare", ["compare", "cases/passed.npz", "cases/failed.npz"])
    try check(
      "layout",
      ["layout", "cases/invalid.npz:outputs/output", "cases/invalid.npz:outputs/h_n"])
  }

  @Test func tracesAreReported() throws {
    let samples = "../../TensorArchivesTests/Samples/"
    let recording = samples + "recording.safetensors"
    try check("trace", ["trace", recording, samples + "recording-gates.npz"])
    try check("trace-verbose", ["trace", recording, samples + "recording-right.npz", "--verbose"])
  }

  @Test(arguments: [
    "parity-check", "audit", "bench", "compare", "export", "inspect", "layout", "run", "trace",
  ])
  func helpIsPrinted(command: String) throws {
    let arguments = (command == "parity-check" ? [] : [command]) + ["--help"]
    try check("help-\(command)", arguments)
  }
}
