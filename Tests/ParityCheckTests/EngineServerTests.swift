import Foundation
import TestSupport
import Testing

/// `--engine-server`, as a user runs it, with programs for the shell.
@Suite struct EngineServerTests {
  private static let first = "lstm-bidirectional-batch-first"
  private static let three = "(\(first)|lstm-cell-unbatched|lstm-one-sequence)"
  private static let copy = "cp -R \"$1/outputs\" \"$2\""

  /// Copies the reference, and before that does something else for the second of three cases.
  private static func withFault(_ script: String) -> String {
    "case \"$1\" in *unbatched) \(script);; *) \(copy);; esac"
  }

  @Test(arguments: [1, 3])
  func aProgramIsStartedOnceForEachJob(jobs: Int) throws {
    let run = try ServerTool(Self.copy, on: Self.three, jobs: jobs)
    #expect(run.tool.status == 0, "\(run.tool.output)")
    #expect(run.tool.output.contains("3 cases: 3 passed in "))
    #expect((1...jobs).contains(run.started.count))
    #expect(!run.isAnythingLeft)
  }

  /// Each fault costs the case in the middle of three, and the program is started anew where it
  /// can't be asked any more.
  @Test(arguments: [
    ("exit 3", 2, "the engine ended with exit status 3"),
    ("exit 0", 2, "the engine ended well and gave no answer"),
    ("kill -9 $$", 2, "the engine was ended by signal 9"),
    (
      "sleep 1000", 2,
      "the engine was ended after 3.0 seconds, which --engine-timeout allows (is each answer "
        + "flushed?)"
    ),
    (
      "printf '{\"status\": \"done\"}'; sleep 1000", 2,
      "--engine-timeout allows, and had printed \"{\"status\": \"done\"}\" without the end of a line"
    ),
    (
      "printf '{\"sta'; exit 0", 2,
      "the engine ended well, and had printed \"{\"sta\" without the end of a line"
    ),
    (
      "echo epoch 1", 2,
      "the engine printed a line that is no answer: \"epoch 1\" (its standard output is for "
        + "answers alone)"
    ),
    ("echo '{\"status\": \"ok\"}'", 2, "no answer: \"{\"status\": \"ok\"}\""),
    (
      "\(Self.copy); printf '{\"status\": \"done\"}\\n{\"status\": \"done\"}\\n'", 2,
      "the engine printed more than the one line that is its answer"
    ),
    ("exec >&-; sleep 1000", 2, "the engine closed its standard output and gave no answer"),
    (":", 1, "the engine answered \"done\" and wrote no file or folder {out}"),
    (
      "echo '{\"status\": \"failed\", \"reason\": \"too large\"}'; continue", 1,
      "the engine failed: too large"
    ),
    ("echo '{\"status\": \"failed\"}'; continue", 1, "the engine failed: it gave no reason"),
  ])
  func aFaultCostsItsOwnCase(script: String, starts: Int, message: String) throws {
    let run = try ServerTool(
      Self.withFault(script), on: Self.three, ["--engine-timeout", "3", "--quiet"])
    #expect(run.tool.status == 1)
    #expect(run.tool.lines.first?.hasPrefix("failed        lstm-cell-unbatched") == true)
    #expect(run.tool.lines.first?.contains(message) == true, "\(run.tool.output)")
    #expect(run.tool.output.contains("3 cases: 2 passed, 1 failed in "), "\(run.tool.output)")
    #expect(run.started.count == starts)
    #expect(!run.isAnythingLeft)
  }

  @Test func whatIsUnsupportedIsSkipped() throws {
    let decline = "echo '{\"status\": \"unsupported\", \"reason\": \"no cells\"}'; continue"
    let run = try ServerTool(Self.withFault(decline), on: Self.three)
    #expect(run.tool.status == 0)
    #expect(run.tool.output.contains("skipped       lstm-cell-unbatched"))
    #expect(run.tool.output.contains("by the engine: no cells"))
    #expect(run.started.count == 1)
    let all = try ServerTool(decline, on: Self.three)
    #expect(all.tool.status == 1)
    #expect(all.tool.errors == "nothing was judged: the engine has skipped every case\n")
  }

  /// A program that ends before it reads anything, and one that is not there.
  @Test func whatEndsAtItsStartFailsEachCase() throws {
    for (command, message) in [
      ("sh -c 'echo no library >&2; exit 4'", "the engine ended with exit status 4"),
      ("sh -c 'exec >&- <&-; exit 4'", "the engine ended with exit status 4"),
      ("no-such-program", "can't run no-such-program: no such program, or not one to run"),
      ("/tmp", "can't run /tmp: "),
    ] {
      let tool = try Tool(
        "Fixtures", "--filter", "^lstm(-packed)?$", "--engine-server", command)
      #expect(tool.status == 1)
      #expect(tool.output.contains("2 cases: 2 failed"))
      #expect(tool.output.contains(message), "\(tool.output)")
      #expect(tool.output.contains("      no library") == command.contains("library"))
    }
  }

  /// What the program prints to its standard error is shown with the case at which it fails, and
  /// with no other.
  @Test func whatIsPrintedBelongsToItsCase() throws {
    let run = try ServerTool(
      "echo \"$1\" >&2; "
        + Self.withFault("echo '{\"status\": \"failed\", \"reason\": \"so\"}'; continue"),
      on: Self.three)
    let printed = run.tool.lines.filter { $0.hasPrefix("      ") }
    #expect(printed == ["      Fixtures/lstm-cell-unbatched"], "\(run.tool.output)")
  }

  /// What it has started, and what goes on at the end of its input, is ended with it.
  @Test(arguments: ["", "sleep 1000"])
  func nothingGoesOn(atTheEnd end: String) async throws {
    let folder = try TemporaryFolder()
    let late = folder.path + "/late"
    let run = try ServerTool(
      Self.copy, on: Self.first,
      atTheEnd: "(sleep 5; echo > '\(late)') > /dev/null 2>&1 &\n" + end)
    #expect(run.tool.status == 0, "\(run.tool.output)")
    #expect(run.started.count == 1 && !run.isAnythingLeft)
    try await Task.sleep(for: .seconds(5.5))
    #expect(throws: (any Error).self) { try bytes(of: late) }
  }

  /// The end of its input lets a program end by itself.
  @Test func theEndOfTheInputIsWaitedFor() throws {
    let folder = try TemporaryFolder()
    let run = try ServerTool(
      Self.copy, on: Self.first, atTheEnd: "sleep 0.5; echo > '\(folder.path)/ended'")
    #expect(run.tool.status == 0)
    #expect(try bytes(of: folder.path + "/ended") == [UInt8(ascii: "\n")])
  }

  /// State that one run leaves behind, and the next one sees.
  @Test func twoRunsOfOneProcessMustAgree() throws {
    let run = try ServerTool(
      """
      count=x$count; \(Self.copy)
      test $count = x || printf '\\001' | dd of="$2/h_n.npy" bs=1 seek=132 conv=notrunc 2>/dev/null
      """, on: Self.first)
    #expect(run.tool.status == 1)
    #expect(run.tool.lines.first?.contains("not deterministic: h_n differs") == true)
    #expect(run.started.count == 1)
  }

  @Test func optionsThatDoNotGoTogether() throws {
    for arguments in [
      ["--engine-server", ""], ["--engine-server", "run {case} {out}"],
      ["--engine-server", "run", "--actual", "."],
      ["--engine-server", "run", "--engine", "run {case} {out}"],
      ["--engine-server", "run", "--engine-timeout", "0"],
    ] {
      #expect(try Tool(["Fixtures"] + arguments).status == 64, "\(arguments)")
    }
  }
}
