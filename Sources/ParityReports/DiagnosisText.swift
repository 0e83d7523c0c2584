import RecurrentModel
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
    let alone = diagnosis.untried == nil ? "" : " alone"
    return ["no known mistake\(alone) reproduces it\(start)"]
      + [observations, untried, diagnosis.suspicion].compactMap(\.self) + declaration
  }

  private var observations: String? {
    diagnosis.observations.isEmpty
      ? nil : "what is right: " + diagnosis.observations.joined(separator: "; ")
  }

  /// The pairs of mistakes that the effort did not allow.
  private var untried: String? {
    diagnosis.untried.map { untried in
      let more =
        switch audience {
        case .commandLine: "--diagnose full"
        case .library: "VerificationOptions(diagnosis: .full)"
        }
      return "not tried: \(untried.all - untried.tried) of \(untried.all) pairs of mistakes"
        + (untried.isExtensible ? "; \(more) tries more of them" : "")
    }
  }

  /// How a user states in which way the reference or other outputs were computed.
  private func declaring(_ stated: StatedComputation) -> String {
    func option(_ key: String, _ value: String) -> String {
      switch audience {
      case .commandLine: "--actual-\(key) \(value)"
      case .library: "VerificationOptions(\(key): .\(value.lowerCamelCase))"
      }
    }
    if let weights = stated.weights {
      return
        "if that is meant: \(option("weights", weights.rawValue)) holds the outputs to what such "
        + "weights give"
    }
    let (key, value) =
      stated.arithmetic.map { ("arithmetic", $0.rawValue) }
      ?? ("activations", stated.activations.rawValue)
    return "to declare it: \"\(key)\": \"\(value)\" in the case's manifest for its "
      + "reference, \(option(key, value)) for other outputs"
  }
}

extension String {
  /// `int8PerRow` of `int8-per-row`.
  fileprivate var lowerCamelCase: String {
    let words = split(separator: "-")
    return words.dropFirst().reduce(words.first.map(String.init) ?? "") {
      $0 + $1.prefix(1).uppercased() + $1.dropFirst()
    }
  }
}
