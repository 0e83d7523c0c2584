import ParityFixtures
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// What a case comes to, before anybody asks why.
struct Outcome: Sendable {
  var verdict: Verdict
  var findings = Findings()
  /// What a diagnostician needs to say why; nil where nothing is wrong, and where nothing could
  /// be said.
  var failure: Failure?
  /// The way of storing weights that the outputs were held to, in the place of PyTorch's results;
  /// nil where they were held to these.
  var storage: WeightStorage?
}

extension Judge {
  /// Takes a case through all stages, as far as each lets the next begin.
  func outcome(of parityCase: ParityCase, _ contender: Contender) -> Outcome {
    if case .outputs(let supplied, var stated) = contender, let storage = stated.weights,
      let chain = parityCase.chain
    {
      // The case's own reference is made with other weights: it is judged by itself.
      var own = outcome(of: parityCase, .engine(threads: 1))
      stated.weights = nil
      guard own.verdict.status == .passed, let stored = parityCase.storing(chain, as: storage)
      else {
        own.verdict.remarks.append("this is the case itself; the outputs were not judged")
        return own
      }
      var ofStored = outcome(of: stored, .outputs(supplied, in: stated))
      ofStored.storage = storage
      return ofStored
    }
    var findings = Findings()
    findings.layout = referenceLayout(parityCase)
    guard findings.layout.allSatisfy(\.holds) else {
      let states = parityCase.layouts.compactMap { parityCase.reference.outputs(of: $0.name)?.hN }
      findings.layoutRounding = LayoutRounding(findings.layout, states: states)
      if findings.layoutRounding != nil {
        // Whatever mistake is as small as rounding would explain it too.
        return Outcome(
          verdict: Verdict(
            .invalid, ["the reference's output and h_n are equal but for rounding"]),
          findings: findings)
      }
      let failure = parityCase.chain.flatMap { chain in
        (try? Truth(chain)).map {
          Failure(
            chain: chain, side: .reference, outputs: parityCase.reference, oracle: $0.results)
        }
      }
      return Outcome(
        verdict: Verdict(.invalid, ["the reference breaks the layout contract"]),
        findings: findings, failure: failure)
    }
    do {
      guard let chain = parityCase.chain else {
        return try withoutParameters(parityCase, contender, findings)
      }
      let passes = try Passes(parityCase.reference, chain, contender)
      if let mismatch = passes.shapeMismatch {
        return Outcome(
          verdict: Verdict(.failed, [mismatch]), findings: findings,
          failure: passes.failure(of: passes.subject))
      }
      return compared(parityCase, passes, contender, findings)
    } catch let error as SuppliedOutputs.Missing {
      let status = error.isDeclined ? CaseStatus.skipped : .failed
      return Outcome(
        verdict: Verdict(status, ["\(error)"], isDeclined: error.isDeclined), findings: findings)
    } catch {
      return Outcome(verdict: Verdict(.invalid, ["\(error)"]), findings: findings)
    }
  }

  /// The stages of a case whose forward passes have been run, and whose subject has the right
  /// shapes.
  private func compared(
    _ parityCase: ParityCase, _ passes: Passes, _ contender: Contender, _ reference: Findings
  ) -> Outcome {
    let rules = CaseRules(parityCase, override: override)
    var (findings, noise) = measured(passes, rules)
    if let noise, findings.comparisons.allSatisfy(\.difference.agrees) {
      findings.coarsenessFaults = passes.coarsenessFaults(noise, rules)
    }
    findings.layout = reference.layout + subjectLayout(parityCase, passes)
    findings.oracleSamples = passes.truth.samples
    if case .pass(let makePass) = contender {
      findings.properties = passes.runs.flatMap { run in
        PropertyCheck(
          run, noise: noise, isInputExact: passes.chain.isExact(before: run.module),
          makePass: makePass
        ).findings
      }
    }
    if parityCase.reference.named.allSatisfy({ $0.tensor.count == 0 }) {
      return Outcome(
        verdict: Verdict(.passed, ["zero batch: shapes only"]), findings: findings)
    }
    if findings.comparableElements == 0, findings.leastJudgedShare == 1 {
      return Outcome(
        verdict: Verdict(.invalid, ["the reference has no finite element to compare"]),
        findings: findings)
    }
    var verdict = Verdict(findings, subject: passes.subject)
    if verdict.status == .passed { verdict.remarks += PassRemarks(findings, parityCase).all }
    guard verdict.status == .failed else { return Outcome(verdict: verdict, findings: findings) }
    verdict.remarks += passes.chain.nonFiniteParameters
    let first = firstDiffering(findings, passes.chain)
    if let module = first.map({ passes.chain.modules[$0] }) {
      verdict.remarks.append("it starts in \(module.name), \(module.className)")
    }
    verdict.remarks += [findings.startOfStream(parityCase)].compactMap(\.self)
    // Where a property alone is broken, the results are those that the chain computes, and there
    // is nothing to explain them by.
    let isDifferent =
      !findings.agree(\.isOfTwo)
      || !findings.layout.allSatisfy(\.holds)
    let side = findings.isReferenceAtFault ? .reference : passes.subject
    return Outcome(
      verdict: verdict, findings: findings,
      failure: isDifferent ? passes.failure(of: side, firstDiffering: first) : nil)
  }

  // MARK: - Noise and comparison

  /// Compares each pair of sides, tensor by tensor, and measures the noise that they are held to.
  /// That of a large batch is measured on some of its sequences first, and on all of them where
  /// the case does not pass so.
  private func measured(_ passes: Passes, _ rules: CaseRules) -> (Findings, CaseNoise?) {
    var findings = Findings()
    guard let replicas = rules.replicas else {
      findings.comparisons = comparisons(passes, rules, nil)
      return (findings, nil)
    }
    if let sequences = passes.chain.spacedSequences(work: noiseWork, least: 4) {
      let noise = passes.noise(
        replicas, sample: .init(sequences, others: .borrowing(oracle: passes.oracle)))
      findings.comparisons = comparisons(passes, rules, noise)
      // Whether elements are lost, only the whole batch can show.
      if findings.comparisons.allSatisfy(\.difference.agrees), !noise.losesStates {
        findings.measuredSequences = sequences.count
        return (findings, noise)
      }
    }
    var noise = passes.noise(replicas, sample: nil)
    findings.comparisons = comparisons(passes, rules, noise)
    if replicas < NoiseLimits.sharpReplicas,
      let sequences = findings.sequencesToSharpen(passes.chain)
    {
      noise = passes.sharpened(noise, sequences)
      findings.comparisons = comparisons(passes, rules, noise)
    }
    findings.agreeingSteps = noise.agreeingSteps
    if noise.losesStates {
      findings.comparisons += passes.forcedSteps(noise, rules)
      findings.unjudgedFaults = passes.unjudgedFaults(findings.comparisons)
    }
    return (findings, noise)
  }

  private func comparisons(
    _ passes: Passes, _ rules: CaseRules, _ noise: CaseNoise?
  ) -> [TensorFinding] {
    let sides = ComparedSides(
      reference: passes.chain.arithmetic, subject: passes.arithmetic, noise: noise,
      chain: passes.chain)
    return passes.compared.flatMap { name, actual, expected, oracle in
      let rule = rules[name]
      func finding(
        _ pair: SidePair, _ actual: Tensor, _ expected: Tensor, _ stored: Arithmetic
      ) -> TensorFinding {
        TensorFinding(
          pair, name, sides.arithmetic(pair, stored), rule, of: actual, from: expected,
          within: sides.limits(pair, name, rule, exact: oracle, stored: stored))
      }
      let stored = Arithmetic(of: expected.elementType) ?? passes.chain.arithmetic
      return [
        finding(SidePair(passes.subject, against: .reference), actual, expected, stored),
        finding(SidePair(.reference, against: .oracle), expected, oracle, stored),
        finding(SidePair(passes.subject, against: .oracle), actual, oracle, stored),
      ]
    }
  }

  // MARK: - Layout

  /// Holds the reference to the layout contract. PyTorch's own references hold the identities bit
  /// for bit; a case whose reference was rounded or made elsewhere states a tolerance.
  private func referenceLayout(_ parityCase: ParityCase) -> [LayoutFinding] {
    let limits: Limits =
      switch override ?? parityCase.manifest.tolerance.rule {
      case .explicit(let rtol, let atol): .bound(rtol: rtol, atol: atol)
      default: .bits
      }
    return layout(parityCase, parityCase.reference, .reference, limits)
  }

  /// Holds the subject to the layout contract: our engine bit for bit, other outputs as
  /// torch.testing compares them.
  private func subjectLayout(_ parityCase: ParityCase, _ passes: Passes) -> [LayoutFinding] {
    let own = passes.chain.arithmetic
    let limits: Limits =
      passes.subject == .engine ? .bits : .torch(passes.arithmetic.map(own.coarser) ?? own)
    return layout(parityCase, passes.actual, passes.subject, limits)
  }

  private func layout(
    _ parityCase: ParityCase, _ results: Results, _ side: Side, _ limits: Limits
  ) -> [LayoutFinding] {
    parityCase.layouts.flatMap { layout in
      results.outputs(of: layout.name).map { outputs in
        LayoutJudge.findings(
          layout.contract, outputs, side: side, module: layout.name, limits: limits)
      } ?? []
    }
  }

  // MARK: - Cases without parameters

  /// Judges a case without parameters, which has a reference alone: the layout of the reference
  /// is checked, and outputs that are supplied are held to it.
  private func withoutParameters(
    _ parityCase: ParityCase, _ contender: Contender, _ reference: Findings
  ) throws(SuppliedOutputs.Missing) -> Outcome {
    guard case .outputs(let supplied, let stated) = contender else {
      return Outcome(verdict: layoutOnly(parityCase, reference), findings: reference)
    }
    let tensors = try supplied.outputs.get()
    var findings = reference
    for (name, expected) in parityCase.reference.named {
      guard let given = tensors[name] else { continue }
      if let mismatch = ShapeMismatch(
        name, found: given, expected: expected, in: parityCase.layouts)
      {
        return Outcome(verdict: Verdict(.failed, [mismatch.text(.outputs)]), findings: reference)
      }
      let type = Arithmetic(of: expected.elementType) ?? .float32
      let stored = stated.arithmetic.map(type.coarser) ?? type
      let rule = override ?? parityCase.manifest.tolerance.rule(for: name)
      findings.comparisons.append(
        TensorFinding(
          SidePair(.outputs, against: .reference), name, stored, rule, of: given, from: expected,
          within: rule.limits(for: stored) ?? .torch(stored)))
    }
    let results = Results(tensors.map { ($0.key, $0.value) })
    findings.layout += layout(parityCase, results, .outputs, .torch(stated.arithmetic ?? .float32))
    let agree =
      findings.comparisons.allSatisfy(\.difference.agrees) && findings.layout.allSatisfy(\.holds)
    return Outcome(
      verdict: agree
        ? Verdict(.passed, ["no state_dict: held to the reference alone"])
        : Verdict(.failed, ["the outputs differ from the reference"]), findings: findings)
  }

  private func layoutOnly(_ parityCase: ParityCase, _ findings: Findings) -> Verdict {
    let contracts = parityCase.layouts.map(\.contract)
    if contracts.allSatisfy({ $0.layout.batch == 0 }) {
      return Verdict(.passed, ["layout only: no state_dict; zero batch: shapes only"])
    }
    if contracts.allSatisfy(\.layout.isCell) {
      return Verdict(
        .invalid, ["a cell has no layout, and without state_dict nothing else is checked"])
    }
    if findings.layout.contains(where: { !$0.canFail }) {
      return Verdict(
        .invalid, ["a direction of the reference has no finite element but zeros to compare"])
    }
    let isConstant = parityCase.reference.named.allSatisfy { _, tensor in
      (0..<tensor.count).allSatisfy { tensor.double(at: $0) == tensor.double(at: 0) }
    }
    return Verdict(
      .passed,
      ["layout only: no state_dict"]
        + (isConstant ? ["one number everywhere looks the same in any layout"] : []))
  }

  // MARK: - Remarks

  /// The place of the first module of a chain whose own results differ; nil where these are not
  /// in the reference.
  private func firstDiffering(_ findings: Findings, _ chain: Chain) -> Int? {
    let isAtFault = findings.isReferenceAtFault
    let differing = findings.comparisons.first {
      !$0.difference.agrees && (isAtFault ? $0.sides.isOfReference : $0.sides.isVerdict)
    }
    guard !chain.isSingleModule, let name = differing?.name, name != "output" else { return nil }
    return chain.modules.firstIndex { name.hasPrefix($0.name + ".") }
  }
}

extension ParityCase {
  /// The same case with its weights as they are once they have been stored, and with the oracle's
  /// results of these in the place of PyTorch's; nil where nothing can be computed.
  fileprivate func storing(_ chain: Chain, as storage: WeightStorage) -> ParityCase? {
    let stored = chain.storing(as: storage)
    guard let truth = try? Truth(stored) else { return nil }
    let results = reference.named.compactMap { name, tensor in
      truth.results[name].map { (name, $0.rounded(to: tensor.elementType)) }
    }
    return with(chain: stored).with(reference: Results(results))
  }
}

extension Passes {
  fileprivate func noise(
    _ replicas: Int, sample: NoiseEstimate.Sample?
  ) -> CaseNoise {
    guard
      let noise = try? CaseNoise(
        ChainVariant(chain), subject: stated, replicas: replicas, sample: sample)
    else { preconditionFailure("a checked chain runs") }
    return noise
  }
}

extension Passes {
  fileprivate func sharpened(_ noise: CaseNoise, _ sequences: [Int]) -> CaseNoise {
    guard
      let noise = try? noise.sharpened(
        ChainVariant(chain), sequences, replicas: NoiseLimits.sharpReplicas)
    else { preconditionFailure("a checked chain runs") }
    return noise
  }
}

extension Chain {
  /// Whether what a module is given has no rounding error: it is the input itself, or rows of an
  /// embedding.
  fileprivate func isExact(before module: String) -> Bool {
    modules.prefix { $0.name != module }.allSatisfy {
      if case .embedding = $0.layer { true } else { false }
    }
  }

  /// Remarks on parameters that hold NaN or infinity, which is allowed and hardly ever meant.
  fileprivate var nonFiniteParameters: [String] {
    modules.flatMap { module in
      module.parameters.sorted { $0.key < $1.key }.compactMap { name, tensor in
        let isFinite = tensor.withElements(as: Double.self) { $0.allSatisfy(\.isFinite) }
        return isFinite
          ? nil
          : "state_dict/\(module.qualified(name)) holds a number that is not finite"
      }
    }
  }
}
