package import ParityFixtures
import RecurrentModel
package import TensorComparison
package import TensorCore

/// Judges one case after another; holds no state between them.
///
/// ```swift
/// let judge = Judge(subject: .engine(threads: 1), diagnostician: Diagnostician(.fast))
/// let result = await judge.judge(location)
/// ```
///
/// A case goes through it from top to bottom: the reference's layout, the forward passes, their
/// rounding noise, what the comparison finds, the verdict, and, where it failed, why.
package struct Judge: Sendable {
  /// In place of every case's own tolerance.
  let override: ToleranceRule?
  let noiseWork: Double
  private let subject: Subject
  private let diagnostician: (any Diagnosing)?
  private let known: KnownOutputs?

  /// - Parameters:
  ///   - noiseWork: how many multiplications a forward pass may have for the rounding
  ///     noise to be measured on the whole batch, not on a sample of it.
  ///   - diagnostician: asked where something differs.
  ///   - known: what other cases' outputs are, to tell where these were supplied.
  package init(
    override: ToleranceRule? = nil, noiseWork: Double = Judge.standardNoiseWork,
    subject: Subject = .engine(threads: 1), diagnostician: (any Diagnosing)? = nil,
    known: KnownOutputs? = nil
  ) {
    self.override = override
    self.noiseWork = noiseWork
    self.subject = subject
    self.diagnostician = diagnostician
    self.known = known
  }

  /// Some seconds of replicas.
  package static let standardNoiseWork = 1e10

  /// Loads and judges a case. Never throws: what can't be judged is a status.
  package func judge(_ location: CaseLocation) async -> CaseResult {
    do throws(CaseError) {
      let parityCase = try ParityCase.load(location)
      let contender = await contender(for: parityCase)
      let outcome = outcome(of: parityCase, contender)
      var owner: String?
      if outcome.verdict.status == .failed, case .outputs(let supplied, _) = contender,
        let outputs = try? supplied.outputs.get()
      {
        owner = await known?.owner(of: outputs, besides: location)
      }
      return result(parityCase, contender, outcome, owner: owner)
    } catch {
      return CaseResult(location, error)
    }
  }

  /// Judges a case that is loaded; where the subject is a source of outputs, its reference
  /// alone.
  package func judge(_ parityCase: ParityCase) -> CaseResult {
    judge(parityCase, ownContender)
  }

  /// Judges outputs that were made elsewhere.
  ///
  /// - Parameter arithmetic: what they were computed in; nil for what the case asks for.
  package func judge(
    _ parityCase: ParityCase, _ supplied: SuppliedOutputs, in arithmetic: Arithmetic? = nil
  ) -> CaseResult {
    judge(parityCase, .outputs(supplied, in: arithmetic))
  }

  private func judge(_ parityCase: ParityCase, _ contender: Contender) -> CaseResult {
    result(parityCase, contender, outcome(of: parityCase, contender), owner: nil)
  }

  private func contender(for parityCase: ParityCase) async -> Contender {
    guard case .supplied(let source, let arithmetic) = subject,
      let supplied = await source.outputs(for: parityCase.outputsRequest)
    else { return ownContender }
    return .outputs(supplied, in: arithmetic)
  }

  private var ownContender: Contender {
    switch subject {
    case .engine(let threads): .engine(threads: threads)
    case .pass(let makePass): .pass(makePass)
    case .supplied: .engine(threads: 1)
    }
  }

  /// - Parameter owner: another case whose reference the supplied outputs are.
  private func result(
    _ parityCase: ParityCase, _ contender: Contender, _ outcome: Outcome, owner: String?
  ) -> CaseResult {
    var verdict = outcome.verdict
    var diagnosis: Diagnosis?
    let reason = parityCase.manifest.expectedFailure
    if let owner {
      verdict.remarks.append("these are the outputs of \(owner)")
    } else if reason == nil, let failure = outcome.failure {
      // Nobody asks why a case fails that is expected to.
      diagnosis = diagnostician?.diagnose(failure)
      // Of other shapes it can't be said where the difference starts.
      if diagnosis?.explanations.isEmpty == true, !failure.hasShapes { diagnosis = nil }
    }
    var printed = ""
    var isCompared = true
    if case .outputs(let supplied, _) = contender {
      printed = supplied.printed
      // Outputs that are missing or of another shape are not the failure that was expected.
      isCompared = !outcome.findings.comparisons.isEmpty
    }
    if isCompared, let reason { verdict = verdict.expectingFailure(reason) }
    return CaseResult(
      parityCase, verdict, contender.side, outcome.findings, printed: printed, diagnosis)
  }
}
