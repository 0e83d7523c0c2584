import ParityFixtures
import RecurrentModel
import TensorComparison

/// What each tensor of a case's reference is held to.
struct CaseRules {
  private let tolerance: CaseTolerance
  private let override: ToleranceRule?
  /// How many replicas the noise rule asks for; nil where no tensor is held to it.
  let replicas: Int?

  /// - Parameter override: in place of the case's own.
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
