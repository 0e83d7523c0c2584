import Foundation
import TestSupport
import Testing

/// `parity-check` runs as its own child, and nobody but the two notices: neither a user
/// with odd variables in his shell, nor the programs that it runs for him.
@Suite struct SupervisionTests {
  /// - Parameter script: run for the case `gru`, with the tool's path as `$TOOL`; what it
  ///   prints is shown, since it writes no outputs.
  private func engine(_ script: String, environment: [String: String?] = [:]) throws -> Tool {
    let folder = try TemporaryFolder()
    try folder.write(script, to: "engine.sh")
    return try Tool(
      [
        "Fixtures", "--filter", "^gru$", "--engine",
        "sh '\(folder.path)/engine.sh' {case} {out}",
      ], environment: environment.merging(["TOOL": Tool.executable.path]) { $1 })
  }

  @Test func anEngineCanRunTheToolItself() throws {
    let tool = try engine(
      """
      "$TOOL" Fixtures --filter '^lstm' --quiet; echo "status $?"
      "$TOOL" Fixtures --filter '^lstm$' --tolerance exact --quiet; echo "status $?"
      """)
    #expect(tool.status == 1)
    let cases = try Tool("Fixtures", "--filter", "^lstm", "--list").lines.count
    #expect(cases > 20)
    let printed = tool.lines.filter { $0.hasPrefix("      ") }.map { $0.dropFirst(6) }
    #expect(printed.first?.hasPrefix("\(cases) cases: \(cases) passed in ") == true)
    #expect(printed.dropFirst().first == "status 0")
    #expect(printed.last == "status 1", "\(tool.output)")
    #expect(printed.contains { $0.hasPrefix("1 case: 1 failed in ") })
  }

  /// The variables by which the two processes speak are theirs, and those of the user
  /// are his: a Swift program that crashes prints its backtrace unless he said otherwise.
  @Test(arguments: [nil, "enable=yes,color=no", "enable=no"])
  func anEngineSeesTheUsersEnvironment(backtrace: String?) throws {
    let tool = try engine(
      "env | grep -E '^(PARITY_|SWIFT_)' | grep -v ^PARITY_ISA=; echo end",
      environment: ["SWIFT_BACKTRACE": backtrace])
    let printed = tool.lines.filter { $0.hasPrefix("      ") }.map { $0.dropFirst(6) }
    #expect(printed == (backtrace.map { ["SWIFT_BACKTRACE=\($0)"[...]] } ?? []) + ["end"])
  }

  #if os(Linux)
    /// Nothing is open in a program but what it reads, what it prints to, and what the
    /// command that looks reads from.
    @Test func anEngineInheritsNoDescriptors() throws {
      let tool = try engine("ls /proc/self/fd | tr '\\n' ' '")
      #expect(tool.lines.contains("      0 1 2 3 "), "\(tool.output)")
    }
  #endif

  /// Numbers of no descriptor, of the standard ones, and what is no number at all.
  @Test(arguments: ["77", "0", "1", "2", "-1", "", "yes", "1:2:3", "off"])
  func anyValueInAUsersShellLeadsToANormalRun(value: String) throws {
    for key in ["PARITY_CHECK_WATCH", "PARITY_CHECK_LOST", "PARITY_CHECK_PRINTED"] {
      let version = try Tool(["--version"], environment: [key: value])
      #expect(version.status == 0 && version.lines.count == 1, "\(key)")
      let tool = try Tool(["Fixtures", "--filter", "^gru$"], environment: [key: value])
      #expect(tool.status == 0 && tool.errors.isEmpty, "\(key)")
      #expect(tool.lines.first?.hasPrefix("passed        gru ") == true, "\(key)")
      #expect(tool.lines.count == 2, "\(key): \(tool.output)")
    }
  }
}
