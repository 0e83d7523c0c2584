package import ParityFixtures
import RecurrentEngine
package import RecurrentModel
package import TensorComparison
package import TensorCore

/// Judges one case after another; holds no state between them.
package struct Judge: Sendable {
  /// Makes the forward pass under test, of parameters in what is computed in.
  package typealias Subject =
    @Sendable (RecurrentCall) -> any ForwardPass

  /// In place of every case's own tolerance.
  let override: ToleranceRule?
  let subject: Subject
  private let source: (any OutputsSource)?
  let sourceArithmetic: Arithmetic?
  let noiseWork: Double
  let diagnostician: (any Diagnosing)?
  let known: KnownOutputs?

  /// - Parameters:
  ///   - noiseWork: how many multiplications a forward pass may have for the rounding
  ///     noise to be measured on the whole batch, not on a sample of it.
  ///   - source: of outputs to judge in place of what `subject` makes.
  ///   - sourceArithmetic: what these are computed in; nil for the case's own.
  ///   - diagnostician: asked where something differs.
  ///   - known: what other cases' outputs are, to tell where these were supplied.
  package init(
    override: ToleranceRule? = nil, noiseWork: Double = Judge.standardNoiseWork,
    subject: @escaping Subject = Judge.engine, source: (any OutputsSource)? = nil,
    sourceArithmetic: Arithmetic? = nil, diagnostician: (any Diagnosing)? = nil,
    known: KnownOutputs? = nil
  ) {
    self.override = override
    self.noiseWork = noiseWork
    self.subject = subject
    self.source = source
    self.sourceArithmetic = sourceArithmetic
    self.diagnostician = diagnostician
    self.known = known
  }

  /// Some seconds of replicas.
  package static let standardNoiseWork = 1e10

  /// Our engine, in the case's arithmetic.
  package static let engine = engine(threads: 1)

  package static func engine(threads: Int) -> Subject {
    { Engine.forwardPass($0, threads: threads) }
  }

  /// Loads and judges a case. Never throws: what can't be judged is a status.
  package func judge(_ location: CaseLocation) async -> CaseResult {
    do {
      let loaded = try LoadedCase.load(location)
      let supplied = await source?.outputs(for: loaded.outputsRequest)
      switch loaded {
      case .recurrent(let parityCase): return judge(parityCase, supplied)
      case .sequential(let chain): return judge(chain, supplied)
      }
    } catch {
      return CaseResult(location, error)
    }
  }

  /// - Parameter supplied: judged in place of what the subject makes.
  package func judge(
    _ parityCase: ParityCase, _ supplied: SuppliedOutputs? = nil
  ) -> CaseResult {
    finished(verdict(on: parityCase, supplied), supplied, parityCase.manifest)
  }

  private func verdict(
    on parityCase: ParityCase, _ supplied: SuppliedOutputs?
  ) -> CaseResult {
    var result = CaseResult(location: parityCase.location, status: .passed)
    result.configuration = parityCase.configuration
    result.contract = parityCase.contract

    result.subject = supplied == nil ? .engine : .outputs
    result.layout = referenceLayout(parityCase)
    if result.layout.contains(where: { !$0.holds }) {
      result.status = .invalid
      result.remarks = ["the reference breaks the layout contract"]
      result.diagnosis = parityCase.call.flatMap { call in
        diagnostician(for: parityCase.manifest)?.diagnose(
          Failure(
            call: call, side: .reference, outputs: parityCase.reference,
            oracle: call.oracleOutputs))
      }
      return result
    }
    guard let call = parityCase.call else {
      return supplied.map { suppliedOnly(result, parityCase, $0) } ?? layoutOnly(result)
    }
    let passes: ForwardPasses
    do throws(SuppliedOutputs.Missing) {
      passes = try forwardPasses(parityCase, call, supplied)
    } catch {
      result.status = .failed
      result.remarks = ["\(error)"]
      return result
    }
    if let mismatch = passes.shapeMismatch {
      result.status = .failed
      result.remarks = [mismatch]
      // Where the difference starts can't be told.
      if let diagnosis = diagnostician(for: parityCase.manifest)?.diagnose(
        passes.failure(of: result.subject)), !diagnosis.explanations.isEmpty
      {
        result.diagnosis = diagnosis
      }
      return result
    }
    guard let replicas = passes.replicas(override) else {
      return judged(result, passes, nil, passes.comparisons(override, nil))
    }
    if let sequences = SequenceSample.sequences(of: call, work: noiseWork) {
      let noise = CaseNoise(
        call, subject: passes.arithmetic, replicas: replicas,
        sample: (sequences, oracle: passes.oracle))
      let comparisons = passes.comparisons(override, noise)
      // Elements that are lost are for the whole batch to show.
      if comparisons.allSatisfy({ $0.difference.agrees }), noise.agreeingSteps == nil {
        result.measuredSequences = sequences.count
        return judged(result, passes, noise, comparisons)
      }
    }
    let noise = CaseNoise(call, subject: passes.arithmetic, replicas: replicas)
    return judged(result, passes, noise, passes.comparisons(override, noise))
  }
}

extension Judge {
  /// A verdict with what is said of every case alike.
  func finished(
    _ verdict: CaseResult, _ supplied: SuppliedOutputs?, _ manifest: Manifest
  ) -> CaseResult {
    var result = verdict
    result.printed = supplied?.printed ?? ""
    tellOwner(of: supplied, in: &result)
    // Outputs that are missing or of another shape are not the failure that was expected.
    let isCompared = supplied == nil || !result.comparisons.isEmpty
    if isCompared, let reason = manifest.expectedFailure { result.expectFailure(reason) }
    return result
  }

  /// Outputs that differ may be another case's.
  private func tellOwner(of supplied: SuppliedOutputs?, in result: inout CaseResult) {
    guard result.status == .failed, let known, let outputs = try? supplied?.outputs.get(),
      let owner = known.owner(of: outputs, besides: result.location)
    else { return }
    result.remarks.append("these are the outputs of \(owner)")
    result.diagnosis = nil
  }

  /// Nobody asks why a case fails that is expected to.
  func diagnostician(for manifest: Manifest) -> (any Diagnosing)? {
    manifest.expectedFailure == nil ? diagnostician : nil
  }

  private func forwardPasses(
    _ parityCase: ParityCase, _ call: RecurrentCall, _ supplied: SuppliedOutputs?
  ) throws(SuppliedOutputs.Missing) -> ForwardPasses {
    if let supplied {
      return ForwardPasses(
        parityCase, call, actual: try supplied.recurrent(), in: sourceArithmetic)
    }
    return ForwardPasses(parityCase, call, subject)
  }

  /// NaN or infinity in a parameter is allowed, and hardly ever meant.
  private func nonFiniteParameters(_ stateDict: StateDict) -> [String] {
    stateDict.tensors.sorted { $0.key < $1.key }.compactMap { name, tensor in
      let isFinite = tensor.withElements(as: Double.self) { $0.allSatisfy(\.isFinite) }
      return isFinite ? nil : "state_dict/\(name) holds a number that is not finite"
    }
  }

  /// PyTorch's own references hold the identities bit for bit; a case whose
  /// reference was rounded or made elsewhere states a tolerance.
  private func referenceLayout(_ parityCase: ParityCase) -> [LayoutFinding] {
    let reference = parityCase.reference
    let limits: Limits =
      switch override ?? parityCase.manifest.tolerance.rule {
      case .explicit(let rtol, let atol): .bound(rtol: rtol, atol: atol)
      default: .bits
      }
    return LayoutJudge.findings(
      parityCase.contract, reference, side: .reference, limits: limits)
  }

  private func layoutOnly(_ result: CaseResult) -> CaseResult {
    var result = result
    if result.contract?.layout.batch == 0 {
      result.remarks = ["layout only: no state_dict; zero batch: shapes only"]
    } else if result.contract?.layout.isCell == true {
      result.status = .invalid
      result.remarks = ["a cell has no layout, and without state_dict nothing else is checked"]
    } else if result.layout.contains(where: { !$0.tellsSomething }) {
      result.status = .invalid
      result.remarks = ["a direction of the reference has no finite element but zeros to compare"]
    } else {
      result.remarks = ["layout only: no state_dict"]
    }
    return result
  }

  private func judged(
    _ blank: CaseResult, _ passes: ForwardPasses, _ noise: CaseNoise?,
    _ comparisons: [TensorFinding]
  ) -> CaseResult {
    let (parityCase, call) = (passes.parityCase, passes.call)
    var result = blank
    result.comparisons = comparisons
    result.agreeingSteps = noise?.agreeingSteps
    result.layout += LayoutJudge.findings(
      parityCase.contract, passes.actual, side: .engine,
      limits: passes.subject == nil
        ? .torch(passes.arithmetic.map(call.arithmetic.coarser) ?? call.arithmetic) : .bits)
    if let own = passes.subject {
      result.properties =
        PropertyCheck(
          call: call, subject: own, outputs: passes.actual,
          contract: parityCase.contract, noise: noise, makeSubject: subject
        ).findings
    }
    if parityCase.contract.layout.batch == 0 {
      result.remarks = ["zero batch: shapes only"]
    } else if result.comparableElements == 0, result.leastJudgedShare == 1 {
      result.status = .invalid
      result.remarks = ["the reference has no finite element to compare"]
    } else {
      result.decide()
      if result.status == .failed {
        result.remarks += nonFiniteParameters(call.stateDict)
        let side = result.isReferenceAtFault ? .reference : result.subject
        result.diagnosis = diagnostician(for: parityCase.manifest)?.diagnose(
          passes.failure(of: side))
      }
    }
    return result
  }
}
