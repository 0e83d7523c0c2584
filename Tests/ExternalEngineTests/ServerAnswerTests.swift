import Testing

@testable import ExternalEngine

/// What a program that answers case after case says, and is asked.
@Suite struct ServerAnswerTests {
  @Test(
    arguments: [
      (#"{"status": "done"}"#, .computed),
      (#" { "seconds": 3, "status":"done", "reason": 3 } "#, .computed),
      (#"{"status": "unsupported", "reason": "no \"peepholes\""}"#, .declined("no \"peepholes\"")),
      (#"{"status": "unsupported"}"#, .declined(nil)),
      (#"{"status": "unsupported", "reason": " "}"#, .declined(nil)),
      (
        #"{"status": "failed", "reason": "\n no memory\n"}"#,
        .failed("the engine failed: no memory")
      ),
      (#"{"status": "failed"}"#, .failed("the engine failed: it gave no reason")),
    ] as [(String, EngineRun.Outcome)])
  func answersAreRead(line: String, outcome: EngineRun.Outcome) {
    #expect(ServerAnswer(line: line)?.outcome == outcome)
  }

  @Test(arguments: [
    "", "done", "{}", "[]", #"{"status": "ok"}"#, #"{"status": 1}"#, #"{"status": "done"}, 1"#,
    #"{"status": "done""#, #"{"status": "done", "status": "failed"}"#,
  ])
  func whatIsNoAnswerIsNotTakenForOne(line: String) {
    #expect(ServerAnswer(line: line) == nil)
  }

  /// One line, whatever the paths hold.
  @Test func aQuestionIsOneLine() {
    let question = ServerAnswer.question(case: "a \"b\"\n.npz", output: "/tmp/ü")
    #expect(
      String(decoding: question, as: UTF8.self)
        == #"{"case":"a \"b\"\n.npz","out":"/tmp/ü"}"# + "\n")
  }
}
