package import ParityFixtures
import RecurrentModel
package import TensorComparison
import TensorCore

/// Judges cases: runs what a case describes, compares it with the reference, and says how the
/// case ends and why.
///
/// ```swift
/// let judge = Judge(subject: .engine(threads: 1), diagnostician: Diagnostician(.fast))
/// let result = await judge.judge(location)
/// print(result.status, result.remarks)
/// ```
///
/// A case goes through it from top to bottom: the layout of the reference, the forward passes,
/// their rounding noise, the comparisons, the verdict, and where the case failed, the diagnosis.
/// The stages are in `JudgeStages.swift`.
///
/// It keeps nothing from one case to the next, so that one judge can judge several at a time,
/// which `JudgeRun` does.
package struct Judge: Sendable {
  /// A rule in place of every case's own; nil to judge each case by its own.
  let override: ToleranceRule?
  let noiseWork: Double
  /// The results that are judged, by their names; nil for all.
  private let only: [String]?
  /// Whether a pass with a remark is a failure.
  private let strict: Bool
  private let subject: Subject
  private let diagnostician: (any Diagnosing)?
  private let known: KnownOutputs?

  /// - Parameters:
  ///   - override: a tolerance rule in place of every case's own.
  ///   - noiseWork: up to how many multiplications of a forward pass the rounding noise is
  ///     measured on the whole batch; above, it is measured on a sample of the batch.
  ///   - only: the names of the results that are judged; nil for all.
  ///   - strict: whether a case fails that passes with a remark.
  ///   - subject: what is judged against the references.
  ///   - diagnostician: is asked why a case failed; nil to ask nobody.
  ///   - known: the references of all cases, to tell where the outputs that were supplied for a
  ///     case are those of another.
  package init(
    override: ToleranceRule? = nil, noiseWork: Double = Judge.standardNoiseWork,
    only: [String]? = nil, strict: Bool = false, subject: Subject = .engine(threads: 1),
    diagnostician: (any Diagnosing)? = nil,
    known: KnownOutputs? = nil
  ) {
    self.override = override
    self.noiseWork = noiseWork
    self.only = only
    self.strict = strict
    self.subject = subject
    self.diagnostician = diagnostician
    self.known = known
  }

  /// The multiplications of a forward pass up to which noise is measured on the whole batch. An
  /// LSTM of 256 units takes about as many for 100 steps of 20 sequences, and its replicas take a
  /// second or two.
  package static let standardNoiseWork = 1e9

  /// Loads and judges a case. It never throws: a case that cannot be judged has a status that
  /// says so.
  ///
  /// - Complexity: O(17 forward passes) under the noise rule; more where the case fails and a
  ///   diagnostician is asked.
  package func judge(_ location: CaseLocation) async -> CaseResult {
    do throws(CaseError) {
      var parityCase = try ParityCase.load(location)
      if let only {
        do throws(InvalidValue) {
          parityCase = try parityCase.only(only)
        } catch {
          throw .invalid(path: location.path, error)
        }
      }
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

  /// Judges a case that is loaded. Where the subject is a source of outputs, which can only be
  /// waited for, our engine is judged in its place.
  package func judge(_ parityCase: ParityCase) -> CaseResult {
    judge(parityCase, ownContender)
  }

  /// Judges outputs that were made elsewhere, whatever the judge's own subject is.
  ///
  /// - Parameters:
  ///   - supplied: the outputs.
  ///   - arithmetic: what they were computed in; nil for what the case asks for.
  package func judge(
    _ parityCase: ParityCase, _ supplied: SuppliedOutputs,
    in stated: StatedComputation = StatedComputation()
  ) -> CaseResult {
    judge(parityCase, .outputs(supplied, in: stated))
  }

  private func judge(_ parityCase: ParityCase, _ contender: Contender) -> CaseResult {
    result(parityCase, contender, outcome(of: parityCase, contender), owner: nil)
  }

  /// The subject of one case: our engine where a source of outputs has none for it.
  private func contender(for parityCase: ParityCase) async -> Contender {
    guard case .supplied(let source, let stated) = subject,
      let supplied = await source.outputs(for: parityCase.outputsRequest)
    else { return ownContender }
    return .outputs(supplied, in: stated)
  }

  /// The subject where there are no outputs to judge.
  private var ownContender: Contender {
    switch subject {
    case .engine(let threads): .engine(threads: threads)
    case .pass(let makePass): .pass(makePass)
    case .supplied: .engine(threads: 1)
    }
  }

  /// Puts a result together, with a diagnosis where one is asked for.
  ///
  /// - Parameter owner: the name of another case that has the supplied outputs for its reference;
  ///   nil where none has.
  private func result(
    _ parityCase: ParityCase, _ contender: Contender, _ outcome: Outcome, owner: String?
  ) -> CaseResult {
    var verdict = outcome.verdict
    var diagnosis: Diagnosis?
    let expected = parityCase.manifest.expectedFailure
    if let owner {
      verdict.remarks.append("these are the outputs of \(owner)")
    } else if expected == nil, let failure = outcome.failure {
      // Nobody wants to know why a case fails that is expected to.
      diagnosis = diagnostician?.diagnose(failure)
      // Where the shapes are other ones, it cannot be said where the difference starts.
      if diagnosis?.explanations.isEmpty == true, !failure.hasShapes { diagnosis = nil }
      if diagnosis?.explanations.isEmpty ?? true {
        verdict.remarks += outcome.findings.exchangedAxes
      }
    }
    var printed = ""
    var isCompared = true
    if case .outputs(let supplied, _) = contender {
      printed = supplied.printed
      // Outputs that are missing or of another shape are not the failure that was expected.
      isCompared = !outcome.findings.comparisons.isEmpty
    }
    if isCompared, let expected { verdict = verdict.expecting(expected, outcome.findings) }
    if strict { verdict = verdict.strict }
    if let weights = outcome.storage {
      verdict.remarks.append(
        "held to what weights stored as \(weights.rawValue) give, not to PyTorch's own results")
    }
    return CaseResult(
      parityCase, verdict, contender.side, outcome.findings, printed: printed, diagnosis)
  }
}

extension Findings {
  /// The results of the subject that agree with their axes exchanged, as remarks: an h_n with the
  /// batch first has PyTorch's shape where there are as many sequences as rows.
  fileprivate var exchangedAxes: [String] {
    ofSubject.filter { !$0.difference.agrees }.compactMap { finding in
      finding.rearrangement.map { "\(finding.name) \($0)" }
    }
  }
}
