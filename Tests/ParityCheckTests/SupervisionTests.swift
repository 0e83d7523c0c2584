import Foundation
import TestSupport
import Testing

/// `parity-check` runs as its own child, and nobody notices but where libhdf5 crashes: not
/// a user with odd variables in the shell, nor the programs that the tool runs.
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
      "$TOOL" Fixtures --filter '^lstm-packed' --quiet; echo "status $?"
      "$TOOL" Fixtures --filter '^lstm$' --tolerance exact --quiet; echo "status $?"
      """)
    #expect(tool.status == 1)
    let cases = try Tool("Fixtures", "--filter", "^lstm-packed", "--list").lines.count
    #expect(cases > 2)
    let printed = tool.lines.filter { $0.hasPrefix("      ") }.map { $0.dropFirst(6) }
    #expect(printed.first?.hasPrefix("\(cases) cases: \(cases) passed in ") == true)
    #expect(printed.dropFirst().first == "status 0")
    #expect(printed.last == "status 1", "\(tool.output)")
    #expect(printed.contains { $0.hasPrefix("1 case: 1 failed in ") })
  }

  /// An engine sees none of the variables by which the two processes speak, and of the
  /// user's all: a Swift program that crashes prints its backtrace, unless the user has
  /// said otherwise.
  @Test(arguments: [nil, "enable=yes,color=no", "enable=no"])
  func anEngineSeesTheUsersEnvironment(backtrace: String?) throws {
    let tool = try engine(
      "env | grep -E '^(PARITY_|SWIFT_)' | grep -v ^PARITY_ISA=; echo end",
      environment: ["SWIFT_BACKTRACE": backtrace])
    let printed = tool.lines.filter { $0.hasPrefix("      ") }.map { $0.dropFirst(6) }
    #expect(printed == (backtrace.map { ["SWIFT_BACKTRACE=\($0)"[...]] } ?? []) + ["end"])
  }

  #if os(Linux)
    /// A debugger then has the process that judges before it, and not one that waits.
    @Test(arguments: [nil, "off"])
    func thereIsNoChildWhereItIsSwitchedOff(value: String?) throws {
      let tool = try engine(
        "cat /proc/$PPID/comm /proc/$(cut -d ' ' -f 4 /proc/$PPID/stat)/comm",
        environment: ["PARITY_CHECK_WATCH": value])
      let printed = tool.lines.filter { $0.hasPrefix("      ") }
      #expect(printed.count == 2 && printed.first == "      parity-check", "\(tool.output)")
      #expect((printed.last == "      parity-check") == (value == nil), "\(tool.output)")
    }

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

  /// One damaged byte each: on these libhdf5 1.10 crashes, and loops. Whatever
  /// another version does, the other cases are judged, each once.
  @Test func whatCrashesLibhdf5CostsOnlyItself() throws {
    let folder = try TemporaryFolder()
    for name in ["a-good", "z-good"] {
      try folder.write(try bytes(of: Repository.fixtures + "/gru-one-step.h5"), to: name + ".h5")
    }
    let sample = try bytes(of: Repository.samples + "/contiguous.h5")
    for (name, offset, byte) in [("crash", 837, UInt8(255)), ("loop", 2112, 0)] {
      var damaged = sample
      damaged[offset] = byte
      try folder.write(damaged, to: name + ".h5")
    }
    let tool = try Tool([folder.path], environment: ["PARITY_CHECK_WATCH_SECONDS": "2"])
    #expect(tool.status == 2 && tool.errors.isEmpty)
    #expect(tool.lines.count == 5)
    #expect(tool.lines[0].hasPrefix("passed        a-good "))
    for (line, name) in [(tool.lines[1], "crash"), (tool.lines[2], "loop")] {
      #expect(line.hasPrefix("unreadable    \(name) ") || line.hasPrefix("invalid       \(name) "))
      #expect(line.contains("/\(name).h5: "))
    }
    #expect(tool.lines[3].hasPrefix("passed        z-good "))
  }

  /// Whatever the caller calls the program, it is this one that runs.
  @Test func theNameItIsCalledByDoesNotMatter() throws {
    let tool = try Tool(
      shell: "exec -a true \"$0\" Fixtures --filter '^gru$' --tolerance exact", in: Repository.root)
    #expect(tool.status == 1)
    #expect(tool.lines.first?.hasPrefix("failed        gru ") == true)
  }
}
