import RecurrentModel
import Testing

@testable import ExternalEngine

/// The command line of `--engine` is split into words as a shell splits it, and the
/// placeholders are replaced in the words, not in the paths.
@Suite struct EngineCommandTests {
  @Test(arguments: [
    ("run {case} {out}", ["run", "{case}", "{out}"]),
    ("  run   --in={case}\t{out} ", ["run", "--in={case}", "{out}"]),
    ("'my run' {case} \"{out} x\"", ["my run", "{case}", "{out} x"]),
    ("my\\ run {case} {out} '' \"a\\\"b\"", ["my run", "{case}", "{out}", "", "a\"b"]),
    ("sh -c 'cat \"$0\" \\n' {case}{out}", ["sh", "-c", "cat \"$0\" \\n", "{case}{out}"]),
  ])
  func wordsAreSplitAsAShellDoes(text: String, words: [String]) throws {
    #expect(try EngineCommand(parsing: text).words == words)
  }

  @Test(arguments: [
    ("", "a command with {case}"), ("run {out}", "a command with {case}"),
    ("run {case}", "a command with {out}"), ("run '{case} {out}", "a closing '"),
    ("\"", "a closing \""),
  ])
  func whatIsMissingIsSaid(text: String, expected: String) {
    #expect(throws: InvalidValue("--engine", expected: expected, found: text)) {
      try EngineCommand(parsing: text)
    }
  }

  /// A server is told its cases line by line, and not in its arguments.
  @Test func aServersCommandHasNoPlaceholders() throws {
    #expect(try EngineCommand(parsing: "run 'a b'", as: .server).words == ["run", "a b"])
    for (text, expected) in [
      ("", "a command"), (" ", "a command"), ("run {case}", "a command without {case}"),
      ("run '{out}'", "a command without {out}"), ("run '", "a closing '"),
    ] {
      #expect(throws: InvalidValue("--engine-server", expected: expected, found: text)) {
        try EngineCommand(parsing: text, as: .server)
      }
    }
  }

  /// A path with blanks stays one word.
  @Test func placeholdersAreReplacedInEveryWord() throws {
    let command = try EngineCommand(parsing: "run --in={case} {out}.npz {case}")
    #expect(command.words(case: "a b", output: "c d") == ["run", "--in=a b", "c d.npz", "a b"])
  }

  @Test(arguments: [24, 25, 100_000])
  func theFirstAndTheLastPrintedLinesAreKept(count: Int) throws {
    var printed = PrintedLines()
    for line in 0..<count {
      Array("line \(line)\n".utf8).withUnsafeBytes { printed.append($0) }
    }
    let lines = printed.text.split(separator: "\n").map(String.init)
    let kept = Array(0..<12) + Array(count - 12..<count)
    #expect(lines.filter { $0 != "…" } == kept.map { "line \($0)" })
    #expect(lines.firstIndex(of: "…") == (count > 24 ? 12 : nil))
  }

  @Test func blankLinesAtTheEndAreLeftOut() {
    var printed = PrintedLines()
    Array("a\n\nb\n\n".utf8).withUnsafeBytes { printed.append($0) }
    #expect(printed.text == "a\n\nb")
  }

  @Test func whatStandsInThePathIsNoPlaceholder() throws {
    let command = try EngineCommand(parsing: "run {case}:{out}")
    #expect(
      command.words(case: "a{out}b{case}", output: "c{case}") == ["run", "a{out}b{case}:c{case}"])
  }
}
