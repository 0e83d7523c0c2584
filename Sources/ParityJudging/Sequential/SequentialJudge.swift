package import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

extension Judge {
  /// - Parameter supplied: judged in place of what our passes make of the chain.
  package func judge(
    _ chain: SequentialCase, _ supplied: SuppliedOutputs? = nil
  ) -> CaseResult {
    finished(verdict(on: chain, supplied), supplied, chain.manifest)
  }

  private func verdict(
    on chain: SequentialCase, _ supplied: SuppliedOutputs?
  ) -> CaseResult {
    var result = CaseResult(location: chain.location, status: .passed)
    result.sequential = chain.sequential
    result.subject = supplied == nil ? .engine : .outputs
    do {
      result.layout = try referenceLayout(chain)
      if result.layout.contains(where: { !$0.holds }) {
        result.status = .invalid
        result.remarks = ["the reference breaks the layout contract"]
        return result
      }
      let passes = SequentialPasses(
        chain, oracle: try oracle(chain), actual: try actual(chain, supplied))
      if let mismatch = passes.shapeMismatch(of: result.subject) {
        result.status = .failed
        result.remarks = [mismatch]
        return result
      }
      return try judged(result, passes)
    } catch let error as SuppliedOutputs.Missing {
      result.status = .failed
      result.remarks = ["\(error)"]
    } catch {
      result.status = .invalid
      result.remarks = ["\(error)"]
    }
    return result
  }

  func oracle(_ chain: SequentialCase) throws -> SequentialOutput {
    try chain.sequential.outputs(for: chain.input, in: .float64, chain.arithmetic) {
      $0.oracleOutputs
    }
  }

  private func actual(
    _ chain: SequentialCase, _ supplied: SuppliedOutputs?
  ) throws -> [String: Tensor] {
    if let supplied { return try supplied.outputs.get() }
    let outputs = try chain.sequential.outputs(
      for: chain.input, in: chain.arithmetic.computation, chain.arithmetic
    ) { subject($0).outputs(for: $0.input) }
    return Dictionary(uniqueKeysWithValues: outputs.named.map { ($0.name, $0.tensor) })
  }

  private func judged(
    _ blank: CaseResult, _ passes: SequentialPasses
  ) throws(InvalidValue) -> CaseResult {
    var result = blank
    let chain = passes.chain
    let noise = try noise(chain, replicas: replicas(chain))
    let rules = passes.compared.map { rule(chain, $0.name) }
    let sides = ComparedSides(
      reference: chain.arithmetic, subject: sourceArithmetic, noise: noise)
    result.comparisons = zip(passes.compared, rules).flatMap { tensor, rule in
      sides.findings(
        tensor.name, rule, actual: tensor.actual, reference: tensor.reference,
        oracle: tensor.oracle)
    }
    result.agreeingSteps = noise?.agreeingSteps
    if chain.input.count == 0 {
      result.remarks = ["zero batch: shapes only"]
    } else if result.comparableElements == 0, result.leastJudgedShare == 1 {
      result.status = .invalid
      result.remarks = ["the reference has no finite element to compare"]
    } else {
      result.decide()
      if result.status == .failed {
        if let module = firstDiffering(result, chain.sequential) { result.remarks.append(module) }
        if let diagnostician = diagnostician(for: chain.manifest) {
          // A mistake is told by rounding noise, whatever the case is held to.
          var measured = noise
          if measured == nil {
            measured = try self.noise(chain, replicas: Replicas.scalarCount)
          }
          result.diagnosis = diagnostician.diagnose(
            passes.failure(result, measured, in: sourceArithmetic))
        }
      }
    }
    return result
  }

  private func rule(_ chain: SequentialCase, _ name: String) -> ToleranceRule {
    override ?? chain.manifest.tolerance.rule(for: name)
  }

  /// How many replicas measure the rounding noise; nil where no tensor is held to it.
  func replicas(_ chain: SequentialCase) -> Int? {
    chain.reference.compactMap {
      if case .noise(_, let replicas) = rule(chain, $0.name) { replicas } else { nil }
    }.max()
  }

  func noise(
    _ chain: SequentialCase, replicas: Int?
  ) throws(InvalidValue) -> CaseNoise? {
    guard let replicas else { return nil }
    return try CaseNoise(of: chain.arithmetic, subject: sourceArithmetic) {
      (model: RoundingModel) throws(InvalidValue) -> NoiseEstimate in
      try NoiseEstimate(chain.sequential, chain.input, model, replicas: replicas)
    }
  }

  /// The first module whose own results differ, where they are in the reference.
  private func firstDiffering(_ result: CaseResult, _ sequential: Sequential) -> String? {
    let differing = result.comparisons.first {
      !$0.difference.agrees
        && $0.sides == (result.isReferenceAtFault ? .referenceAndOracle : .subjectAndReference)
    }
    guard let name = differing?.name, name != "output",
      let module = sequential.modules.first(where: { name.hasPrefix($0.name + ".") })
    else { return nil }
    return "it starts in \(module.name), \(module.className)"
  }

  /// The layout contract, of each recurrent module whose reference is complete.
  private func referenceLayout(
    _ chain: SequentialCase
  ) throws(InvalidValue) -> [LayoutFinding] {
    var findings: [LayoutFinding] = []
    for module in chain.sequential.modules {
      guard case .recurrent(let configuration, _, _) = module.layer,
        let output = chain[module.name + ".output"], let hN = chain[module.name + ".h_n"],
        let layout = SequenceLayout(
          ofSequences: output.shape, batchFirst: configuration.batchFirst, isCell: false)
      else { continue }
      let contract = LayoutContract(configuration, layout: layout, packing: nil)
      let limits: Limits =
        switch override ?? chain.manifest.tolerance.rule {
        case .explicit(let rtol, let atol): .bound(rtol: rtol, atol: atol)
        default: .bits
        }
      findings += LayoutJudge.findings(
        contract, output: output, hN: hN, side: .reference, limits: limits)
    }
    return findings
  }
}

extension SequentialCase {
  /// A tensor of the reference; nil where it is not given.
  subscript(name: String) -> Tensor? { reference.first { $0.name == name }?.tensor }
}
