import ParityJudging
import TensorCore

/// The known mistakes that explain a failure, or, where none does, the first element that is
/// wrong.
struct DiagnosisText {
  let diagnosis: Diagnosis
  let audience: TextReport.Audience

  var lines: [String] {
    let explanations = diagnosis.explanations.enumerated().map { index, explanation in
      "diagnosis: \(index == 0 ? "" : "or ")\(explanation.sentence) "
        + "[\(explanation.names.joined(separator: ", "))]"
    }
    let declaration = diagnosis.undeclared.map { [declaring($0)] } ?? []
    guard explanations.isEmpty else { return explanations + declaration }
    let start = diagnosis.start.map { "; it starts \($0.module == nil ? "at" : "in") \($0)" } ?? ""
    return ["no known mistake reproduces it\(start)"]
      + [diagnosis.suspicion].compactMap(\.self) + declaration
  }

  /// How a user declares the arithmetic in which the reference or other outputs were computed.
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
