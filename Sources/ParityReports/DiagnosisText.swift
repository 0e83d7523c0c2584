import ParityJudging
import TensorCore

/// What explains a failure, or where it starts.
struct DiagnosisText {
  let diagnosis: Diagnosis
  let audience: TextReport.Audience

  var lines: [String] {
    let explanations = diagnosis.explanations.enumerated().map { index, explanation in
      "diagnosis: \(index == 0 ? "" : "or ")\(explanation.sentence) "
        + "[\(explanation.names.joined(separator: ", "))]"
    }
    let remedy = diagnosis.undeclared.map { [declaring($0)] } ?? []
    guard explanations.isEmpty else { return explanations + remedy }
    let start = diagnosis.start.map { "; it starts \($0.module == nil ? "at" : "in") \($0)" } ?? ""
    return ["no known mistake reproduces it\(start)"]
      + [diagnosis.suspicion].compactMap(\.self) + remedy
  }

  /// How a user says what something was computed in.
  private func declaring(_ arithmetic: Arithmetic) -> String {
    let ofOutputs =
      switch audience {
      case .commandLine: "--actual-arithmetic \(arithmetic)"
      case .library: "VerificationOptions(arithmetic: .\(arithmetic))"
      }
    return "to declare it: \"arithmetic\": \"\(arithmetic)\" in the case's manifest for its "
      + "reference, \(ofOutputs) for other outputs"
  }
}
