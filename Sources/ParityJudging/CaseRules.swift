import ParityFixtures
import RecurrentModel
import TensorComparison

/// The tolerance rule of each of a case's results: the case's own, or one that replaces it for a
/// run.
struct CaseRules {
  private let tolerance: CaseTolerance
  private let override: ToleranceRule?
  /// How many replicas the noise rule asks for, the most of all results; nil where no result is
  /// held to that rule.
  let replicas: Int?

  /// - Parameter override: a rule in place of all of the case's own.
  init(_ parityCase: ParityCase, override: ToleranceRule? = nil) {
    let tolerance = parityCase.manifest.tolerance
    self.tolerance = tolerance
    self.override = override
    replicas = parityCase.reference.names.compactMap { name in
      if case .noise(_, let replicas) = override ?? tolerance.rule(for: name) {
        replicas
      } else {
        nil
      }
    }.max()
  }

  subscript(name: String) -> ToleranceRule { override ?? tolerance.rule(for: name) }
}
