import TestSupport
import Testing

/// `--engine` of which a case is skipped, and `--engine` that is run twice.
@Suite struct EngineRunTests {
  private let fixture = "lstm-bidirectional-batch-first"

  private func judge(_ script: String, _ more: String..., filter: String? = nil) throws -> Tool {
    try Tool(engine: script, on: filter ?? fixture, more)
  }

  // MARK: - Skipping

  /// The reason is the last line of its standard error, or else of its standard output.
  @Test(arguments: [
    ("echo out; echo 'no LSTM' >&2; echo; exit 77", "no LSTM"),
    ("echo 'no LSTM'; exit 77", "no LSTM"),
    ("exit 77", "it printed no reason"),
  ])
  func status77Skips(script: String, reason: String) throws {
    let tool = try judge(script)
    #expect(tool.lines.first == "skipped       \(fixture)  by the engine: \(reason)")
    #expect(tool.lines.last?.hasPrefix("1 case: 1 skipped by the engine in ") == true)
    // Nothing was judged.
    #expect(tool.status == 1)
    #expect(tool.errors == "nothing was judged: the engine has skipped every case\n")
  }

  @Test func whatIsSkippedIsCountedBesideWhatPasses() throws {
    let script = """
      case "$1" in *unbatched) echo no cells; exit 77;; *) cp -R "$1/outputs" "$2";; esac
      """
    let filter = "(\(fixture)|lstm-cell-unbatched)"
    let tool = try judge(script, filter: filter)
    #expect(tool.status == 0 && tool.errors.isEmpty)
    #expect(tool.lines.last?.hasPrefix("2 cases: 1 passed, 1 skipped by the engine in ") == true)
    let strict = try judge(script, "--strict", filter: filter)
    #expect(strict.status == 1)
    #expect(strict.output.contains("skipped, but leaves something open; by the engine: no cells"))
  }

  /// A layout that is judged without the program is no sign that the program does anything.
  @Test func passesWithoutTheProgramDoNotMakeSkipsGreen() throws {
    let tool = try judge("exit 77", filter: "(\(fixture)|article-printed)")
    #expect(tool.status == 1)
    #expect(tool.output.contains("2 cases: 1 passed with a remark, 1 skipped by the engine in "))
  }

  // MARK: - Running twice

  /// A script that copies the reference, and counts its runs in `$folder/runs`.
  private func counting(_ folder: TemporaryFolder, then script: String = "") -> String {
    "echo run >> '\(folder.path)/runs'; cp -R \"$1/outputs\" \"$2\"\n" + script
  }

  private func runs(_ folder: TemporaryFolder) throws -> Int {
    try bytes(of: folder.path + "/runs").count { $0 == UInt8(ascii: "\n") }
  }

  @Test(arguments: [([], 3), (["--twice"], 4)] as [([String], Int)])
  func theFirstCaseIsRunTwiceOrAllAre(options: [String], count: Int) throws {
    let folder = try TemporaryFolder()
    let tool = try Tool(
      engine: counting(folder), on: "(\(fixture)|lstm-cell-unbatched|article-printed)", options)
    #expect(tool.status == 0, "\(tool.output)")
    #expect(try runs(folder) == count)
  }

  /// Where the program declines the first case, the next that it computes is run twice.
  @Test func anotherCaseStandsInForTheFirst() throws {
    let folder = try TemporaryFolder()
    let tool = try judge(
      counting(folder, then: "case \"$1\" in *first) exit 77;; esac"), "--jobs", "1",
      filter: "(\(fixture)|lstm-cell-unbatched)")
    #expect(tool.status == 0, "\(tool.output)")
    #expect(try runs(folder) == 3)
  }

  /// From the second run on, one byte is another.
  @Test func whatDiffersBetweenTwoRunsFails() throws {
    let folder = try TemporaryFolder()
    let tool = try judge(
      counting(
        folder,
        then: """
          test $(wc -l < '\(folder.path)/runs') = 1 ||
            printf '\\001' | dd of="$2/h_n.npy" bs=1 seek=132 conv=notrunc 2>/dev/null
          """))
    #expect(tool.status == 1)
    let line = try #require(tool.lines.first)
    #expect(
      line.hasPrefix(
        "failed        \(fixture)  not deterministic: h_n differs between two runs of the engine, "
          + "first at (0, 0, 1): "), "\(line)")
    #expect(line.hasSuffix("(dropout left on, uninitialised memory, a race?)"))
  }

  @Test(arguments: [
    (
      "exit 3",
      "the first run went well, and the second did not: the engine ended with exit status 3"
    ),
    (
      "cp \"$2/h_n.npy\" \"$2/output.npy\"",
      "output was float32 (3, 5, 12) in one run of the engine"
    ),
  ])
  func aSecondRunThatGoesOtherwiseFails(script: String, message: String) throws {
    let folder = try TemporaryFolder()
    let tool = try judge(
      counting(
        folder, then: "if [ $(wc -l < '\(folder.path)/runs') = 2 ]; then \(script); fi"))
    #expect(tool.status == 1)
    #expect(tool.lines.first?.contains("not deterministic: \(message)") == true, "\(tool.output)")
  }
}
