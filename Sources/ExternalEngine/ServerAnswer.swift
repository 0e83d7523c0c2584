import JSON

/// A program's answer for one case: a JSON object in a line, whose `status` is `done`,
/// `unsupported` or `failed`, the last two with a `reason`, of which the first line counts. Other keys
/// mean nothing.
struct ServerAnswer: Equatable {
  let outcome: EngineRun.Outcome

  /// - Returns: nil for a line that is no answer.
  init?(line: String) {
    guard case .object(let keys)? = try? JSONParser.parse(line),
      case .string(let status)? = keys["status"]
    else { return nil }
    var reason: String?
    if case .string(let text)? = keys["reason"] {
      reason = text.drop(while: \.isWhitespace).split(whereSeparator: \.isNewline).first
        .map(String.init)
    }
    switch status {
    case "done": outcome = .computed
    case "unsupported": outcome = .declined(reason)
    case "failed":
      outcome = .failed("the engine failed: " + (reason ?? "it gave no reason"))
    default: return nil
    }
  }

  /// The line that asks for a case.
  static func question(case path: String, output: String) -> [UInt8] {
    let question = JSONValue.object(["case": .string(path), "out": .string(output)])
    return Array((question.compactText + "\n").utf8)
  }
}
