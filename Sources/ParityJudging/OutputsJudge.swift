package import ParityFixtures
package import RecurrentModel
import TensorComparison
import TensorCore

/// Judges many outputs of one case by its own rules; measures its noise once.
package struct OutputsJudge: Sendable {
  private let parityCase: ParityCase
  private let call: RecurrentCall
  private let noise: CaseNoise?

  /// - Returns: nil for a case that has nothing to run.
  package init?(_ parityCase: ParityCase) {
    guard let call = parityCase.call else { return nil }
    self.parityCase = parityCase
    self.call = call
    let passes = ForwardPasses(parityCase, call, actual: parityCase.reference)
    noise = passes.replicas(nil).map { CaseNoise(call, replicas: $0) }
  }

  /// Whether these outputs would pass: their shapes, their layout and every element.
  package func accepts(_ outputs: RecurrentOutput) -> Bool {
    guard outputs.shapeMismatch(with: parityCase.reference, of: .outputs) == nil else {
      return false
    }
    let limits = Limits.torch(call.arithmetic)
    let layout = LayoutJudge.findings(
      parityCase.contract, outputs, side: .engine, limits: limits)
    guard layout.allSatisfy(\.holds) else { return false }
    return ForwardPasses.comparisons(
      parityCase, call, outputs, against: parityCase.reference, sides: .subjectAndReference, noise
    ).allSatisfy(\.agrees)
  }
}
