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

  /// How a user states in which way the reference or other outputs were computed.
  private func declaring(_ stated: StatedComputation) -> String {
    let (key, value) =
      stated.arithmetic.map { ("arithmetic", $0.rawValue) }
      ?? ("activations", stated.activations.rawValue)
    let ofOutputs =
      switch audience {
      case .commandLine: "--actual-\(key) \(value)"
      case .library: "VerificationOptions(\(key): .\(value))"
      }
    return "to declare it: \"\(key)\": \"\(value)\" in the case's manifest for its "
      + "reference, \(ofOutputs) for other outputs"
  }
}
