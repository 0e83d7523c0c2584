package import ParityJudging
package import RecurrentModel

/// What `parity-check compare` says of two recurrent modules whose parameters differ.
package struct ModuleComparisonText {
  private let expected: FoundModule
  private let actual: FoundModule

  package init(expected: FoundModule, actual: FoundModule) {
    self.expected = expected
    self.actual = actual
  }

  /// Where the biases alone differ, and their sums do not.
  package var equalSums: [String] {
    [
      "the modules compute the same: bias_ih and bias_hh differ, and what PyTorch adds of them agrees"
    ]
  }

  /// - Parameter result: of the actual parameters in the place of the expected ones; nil where
  ///   they can't stand there.
  package func lines(_ result: CaseResult?) -> [String] {
    guard let result else {
      return [
        "the modules are not alike: expected \(expected.configuration.pythonText), "
          + "found \(actual.configuration.pythonText)"
      ]
    }
    if result.status == .passed {
      return [
        "on random numbers both compute the same, within rounding noise; the parameters differ all "
          + "the same"
      ]
    }
    if result.status == .inconclusive {
      return ["on random numbers it can't be told whether both compute the same"]
    }
    let lines = result.diagnosis.map { DiagnosisText(diagnosis: $0, audience: .commandLine).lines }
    return ["on random numbers, with the weights found in the place of those expected:"]
      + (lines ?? ["the results differ"]).map { "    " + $0 }
  }
}
