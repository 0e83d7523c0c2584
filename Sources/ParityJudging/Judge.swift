package import ParityFixtures
import RecurrentEngine
package import RecurrentModel
package import TensorComparison
import TensorCore

/// Judges one case after another; holds no state between them.
package struct Judge: Sendable {
  /// Makes the forward pass under test.
  package typealias Subject = @Sendable (ParityCase.Model) -> any ForwardPass

  /// In place of every case's own tolerance.
  private let override: ToleranceRule?
  private let subject: Subject

  package init(override: ToleranceRule? = nil, subject: @escaping Subject = Judge.engine) {
    self.override = override
    self.subject = subject
  }

  /// Our engine, in the case's arithmetic.
  package static let engine: Subject = { model in
    Engine.forwardPass(model.configuration, model.stateDict, in: model.arithmetic)
  }

  /// Loads and judges a case. Never throws: what can't be judged is a status.
  package func judge(_ location: CaseLocation) -> CaseResult {
    do {
      return judge(try ParityCase.load(location))
    } catch {
      let status: CaseStatus =
        switch error {
        case .unreadable: .unreadable
        case .invalid: .invalid
        }
      return CaseResult(location: location, status: status, remarks: ["\(error)"])
    }
  }

  package func judge(_ parityCase: ParityCase) -> CaseResult {
    var result = verdict(on: parityCase)
    if let reason = parityCase.manifest.expectedFailure { result.expectFailure(reason) }
    return result
  }

  private func verdict(on parityCase: ParityCase) -> CaseResult {
    var result = CaseResult(location: parityCase.location, status: .passed)
    result.configuration = parityCase.configuration
    result.contract = parityCase.contract

    result.layout = referenceLayout(parityCase)
    if result.layout.contains(where: { !$0.holds }) {
      result.status = .invalid
      result.remarks = ["the reference breaks the layout contract"]
      return result
    }
    guard let model = parityCase.model else {
      return layoutOnly(result)
    }
    guard run(model, parityCase, into: &result) else { return result }
    if parityCase.contract.layout.batch == 0 {
      result.remarks = ["zero batch: shapes only"]
    } else if result.comparedElements == 0, result.leastJudgedShare == 1 {
      result.status = .invalid
      result.remarks = ["the reference has no finite element to compare"]
    } else {
      result.decide()
      if result.status == .failed {
        result.remarks += nonFiniteParameters(model.stateDict)
        result.remarks += coarserArithmetic(result, parityCase, model)
      }
    }
    return result
  }
}

extension Judge {
  /// Asked where the reference is what does not follow, under the noise rule.
  private func coarserArithmetic(
    _ result: CaseResult, _ parityCase: ParityCase, _ model: ParityCase.Model
  ) -> [String] {
    guard result.isReferenceAtFault, result.comparisons.allSatisfy({ $0.difference.noise != nil }),
      result.isOffNearlyEverywhere,
      let coarser = CoarserArithmetic.explaining(parityCase, model)
    else { return [] }
    return [
      "rounding as coarse as \(coarser)'s would explain it: if it was computed so, say "
        + "\"arithmetic\": \"\(coarser)\""
    ]
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

  /// - Returns: whether the subject's outputs are of the reference's shapes; if
  ///   not, nothing is compared and the case has failed.
  private func run(
    _ model: ParityCase.Model, _ parityCase: ParityCase, into result: inout CaseResult
  ) -> Bool {
    let reference = parityCase.reference
    let actual = subject(model).outputs(for: model.input)
    let oracle = Oracle(model.configuration, model.stateDict).outputs(for: model.input)

    let rules = reference.named.map { override ?? parityCase.manifest.tolerance.rule(for: $0.name) }
    let replicas = rules.compactMap {
      if case .noise(_, let replicas) = $0 { replicas } else { nil }
    }
    let noise = replicas.max().map { CaseNoise(model, replicas: $0) }
    for (index, (name, expected)) in reference.named.enumerated() {
      let (ours, exact) = (actual.named[index].tensor, oracle.named[index].tensor)
      guard ours.shape == expected.shape else {
        result.status = .failed
        result.remarks = [
          "\(name): expected the shape \(expected.shape), found \(ours.shape) from the engine"
        ]
        return false
      }
      let stored = Arithmetic(of: expected.elementType) ?? model.arithmetic
      let arithmetic = stored.coarser(model.arithmetic)
      func compare(_ sides: TensorFinding.Sides, _ actual: Tensor, _ expected: Tensor) {
        let limits = limits(rules[index], sides, arithmetic) {
          noise?.limits(sides, name, exact: exact, stored: stored)
        }
        result.comparisons.append(
          TensorFinding(
            sides: sides, name: name, arithmetic: arithmetic, rule: rules[index],
            difference: TensorDifference(of: actual, from: expected, within: limits),
            torchAgrees: TensorDifference(of: actual, from: expected, within: .torch(arithmetic))
              .agrees))
      }
      compare(.subjectAndReference, ours, expected)
      compare(.referenceAndOracle, expected, exact)
      compare(.subjectAndOracle, ours, exact)
    }
    result.agreeingSteps = noise?.agreeingSteps
    result.layout += LayoutJudge.findings(
      parityCase.contract, actual, side: .engine, limits: .bits)
    result.properties =
      PropertyCheck(
        model: model, outputs: actual, contract: parityCase.contract, noise: noise,
        makeSubject: self.subject
      ).findings
    return true
  }
  private func limits(
    _ rule: ToleranceRule, _ sides: TensorFinding.Sides, _ arithmetic: Arithmetic,
    noise: () -> NoiseLimits?
  ) -> Limits {
    if case .noise(let largestZ, _) = rule, let noise = noise() {
      return .noise(noise.with(largestZ: largestZ))
    }
    guard let limits = rule.limits(for: arithmetic) else { return .bits }
    // The oracle does not round as the reference did: it is held to no less than
    // what torch allows for rounding, however tight the case's own rule.
    return sides == .subjectAndReference ? limits : limits.loosened(to: .torch(arithmetic))
  }
}
