import TestSupport
import Testing

/// `--engine`, as a user runs it, with programs for the shell.
@Suite struct EngineTests {
  private let fixture = "lstm-bidirectional-batch-first"

  private func judge(_ script: String, _ more: String..., filter: String? = nil) throws -> Tool {
    try Tool(engine: script, on: filter ?? fixture, more)
  }

  @Test func theReferencesOwnOutputsPass() throws {
    let tool = try judge("cp -R \"$1/outputs\" \"$2\"")
    #expect(tool.status == 0)
    #expect(tool.lines.first?.hasSuffix("bit for bit") == true)
  }

  /// What the program prints is shown where it fails, and nowhere else.
  @Test func aFailureShowsWhatWasPrinted() throws {
    let failed = try judge("echo out; echo err >&2; exit 3")
    #expect(failed.status == 1)
    #expect(failed.output.contains("the engine ended with exit status 3"))
    #expect(failed.output.contains("the engine printed:"))
    #expect(failed.lines.contains("      out") && failed.lines.contains("      err"))
    let differing = try judge(
      """
      echo halved; cp -R "$1/outputs" "$2"; cp "$2/h_n.npy" "$2/c_n.npy"
      """)
    #expect(differing.status == 1)
    #expect(differing.output.contains("the outputs do not"))
    #expect(differing.output.contains("      halved"))
    #expect(try !judge("echo fine; cp -R \"$1/outputs\" \"$2\"").output.contains("fine"))
  }

  @Test(arguments: [
    ("kill -9 $$", "the engine was ended by signal 9"),
    ("exit 0", "the engine ended well and wrote no file or folder {out}"),
    ("echo garbage > \"$2.npz\"", "{out}.npz: expected a ZIP file"),
    ("mkdir \"$2\"", "none"),
    (
      "cp -R \"$1/outputs\" \"$2\"; head -c 200 \"$1/outputs/output.npy\" > \"$2/output.npy\"",
      "{out}/output.npy: the data of float32 (3, 5, 12): expected 720 bytes, found 72"
    ),
    ("cp -R \"$1/outputs\" \"$2\"; rm \"$2/c_n.npy\"", "c_n: expected a tensor of floats"),
  ])
  func whatIsWrongWithAnEngineIsSaid(script: String, message: String) throws {
    let tool = try judge(script)
    #expect(tool.status == 1)
    #expect(tool.output.contains(message), "\(tool.output)")
  }

  /// What is written in another format, or by another name, is listed.
  @Test(arguments: [
    ("touch \"$2.mat\" \"$2.pkl\"", "no file or folder {out}, only {out}.mat, {out}.pkl: write an"),
    (
      "cp -R \"$1/outputs\" \"$2\"; mv \"$2/output.npy\" \"$2/seq.npy\"",
      "found only c_n (2, 3, 6), h_n (2, 3, 6), seq (3, 5, 12); if seq is it, say: --map output=seq"
    ),
  ])
  func whatIsThereInPlaceOfAnOutputIsListed(script: String, message: String) throws {
    let tool = try judge(script)
    #expect(tool.status == 1)
    #expect(tool.output.contains(message), "\(tool.output)")
  }

  @Test func outputsOfOtherNamesAreMapped() throws {
    let script = "cp -R \"$1/outputs\" \"$2\"; mv \"$2/output.npy\" \"$2/seq.npy\""
    #expect(try judge(script, "--map", "output=seq").status == 0)
  }

  /// A program that hangs is ended with all that it started, and fails its case alone.
  @Test func aHangIsEnded() throws {
    let tool = try judge(
      """
      case "$1" in *first) sleep 1000 & sleep 1000;; *) cp -R "$1/outputs" "$2";; esac
      """, "--engine-timeout", "2", filter: "(\(fixture)|lstm-cell-unbatched|lstm-one-sequence)")
    #expect(tool.status == 1)
    let cases = tool.lines.filter { !$0.hasPrefix(" ") }
    #expect(
      cases.first
        == "failed        \(fixture)  the engine was ended after 2.0 seconds, which "
        + "--engine-timeout allows")
    #expect(cases.last?.hasPrefix("3 cases: 2 passed, 1 failed in ") == true, "\(tool.output)")
  }

  /// Whether it ended well, or was ended.
  @Test(arguments: ["cp -R \"$1/outputs\" \"$2\"", "sleep 1000"])
  func nothingThatItStartedGoesOn(then script: String) async throws {
    let folder = try TemporaryFolder()
    let tool = try judge(
      "(sleep 1; echo > '\(folder.path)/late') > /dev/null 2>&1 &\n" + script,
      "--engine-timeout", "0.3")
    #expect(tool.status == (script.hasPrefix("cp") ? 0 : 1), "\(tool.output)")
    try await Task.sleep(for: .seconds(1.5))
    #expect(throws: (any Error).self) { try bytes(of: folder.path + "/late") }
  }

  @Test func aProgramThatIsNotThereFailsEachCase() throws {
    for program in ["no-such-program", "./no-such-program", "/etc/passwd", "/tmp"] {
      let tool = try Tool(
        "Fixtures", "--filter", "^lstm(-packed)?$", "--engine", "\(program) {case} {out}")
      #expect(tool.status == 1)
      #expect(tool.output.contains("2 cases: 2 failed"))
      #expect(tool.output.contains("can't run \(program): "), "\(tool.output)")
    }
  }

  /// A case without parameters asks nothing of an engine.
  @Test func layoutsAreJudgedByThemselves() throws {
    let tool = try judge("exit 3", filter: "article-printed")
    #expect(tool.status == 0)
    #expect(tool.output.contains("layout only"))
  }

  @Test func optionsThatDoNotGoTogether() throws {
    for arguments in [
      ["--engine", "run {case}"], ["--engine", "run {case} {out}", "--actual", "."],
      ["--engine-input", "npz"], ["--engine-timeout", "3"], ["--actual-arithmetic", "tf32"],
      ["--engine", "run {case} {out}", "--engine-timeout", "0"],
      ["--engine", "run {case} {out}", "--engine-timeout", "nan"],
      ["--engine", "run {case} {out}", "--engine-input", "pt"], ["--twice"],
      ["--map", "output=Y"], ["--actual", ".", "--map", "Y"],
      ["--actual", ".", "--map", "Y=output"],
      ["--actual", ".", "--twice"],
    ] {
      #expect(try Tool(["Fixtures"] + arguments).status == 64, "\(arguments)")
    }
  }

  /// What is handed over anew has no answers in it.
  @Test(arguments: ["npz", "h5", "folder"])
  func casesAreHandedOverWithoutTheirOutputs(container: String) throws {
    let tool = try judge(
      """
      if [ -d "$1" ]; then ls "$1" "$1/inputs" "$1/state_dict" | tr '\\n' ' '
      else strings -n 6 "$1" | tr '\\n' ' '; fi; exit 3
      """, "--engine-input", container)
    #expect(tool.output.contains("weight_hh_l0_reverse"))
    #expect(tool.output.contains("manifest"))
    #expect(!tool.output.contains("outputs/") && !tool.output.contains("h_n"))
  }
}
