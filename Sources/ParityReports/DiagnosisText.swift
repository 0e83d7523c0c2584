import ParityJudging

/// What explains a failure, or where it starts.
struct DiagnosisText {
  let diagnosis: Diagnosis

  var lines: [String] {
    let explanations = diagnosis.explanations.enumerated().map { index, explanation in
      "diagnosis: \(index == 0 ? "" : "or ")\(explanation.sentence) "
        + "[\(explanation.names.joined(separator: ", "))]"
    }
    guard explanations.isEmpty else { return explanations }
    let start = diagnosis.start.map { "; it starts \($0.module == nil ? "at" : "in") \($0)" } ?? ""
    return ["no known mistake reproduces it\(start)"] + [diagnosis.suspicion].compactMap(\.self)
  }
}
