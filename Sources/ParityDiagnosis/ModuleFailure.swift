import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

extension Failure {
  /// Of a chain, the first recurrent module whose results differ and its failure by itself,
  /// given what the failing side handed to it; nil where that is no recurrent module, or not
  /// told by what the failing side says.
  ///
  /// - Complexity: O(17 forward passes).
  var firstDiffering: (module: ChainModule, failure: Failure)? {
    let evidence = Evidence(self)
    guard !chain.isSingleModule, hasShapes, let noise = evidence.noise(of: ChainVariant(chain))
    else { return nil }
    var input: Tensor? = chain.input.tensor
    for (index, module) in chain.modules.enumerated() {
      let differs = chain.shapes.stages[index].results.contains { result in
        let name = module.qualified(result.name)
        guard let given = outputs[name], let exact = oracle[name] else { return false }
        let limits = evidence.limits(noise, name, given, exact: exact)
        return !TensorDifference(of: given, from: exact, within: .noise(limits)).agrees
      }
      if differs {
        return input.flatMap { failure(of: index, given: $0) }.map { (module, $0) }
      }
      input = handedOn(by: module)
    }
    return nil
  }

  /// As far as it is told: its own rounding is part of it.
  private func handedOn(by module: ChainModule) -> Tensor? {
    if case .recurrent(_, _, select: .hN) = module.layer { return nil }
    let name = module.qualified("output")
    return outputs[name] ?? oracle[name]
  }

  private func failure(of index: Int, given value: Tensor) -> Failure? {
    let module = chain.modules[index]
    guard case .recurrent(let configuration, let stateDict, _) = module.layer,
      let own = outputs.outputs(of: module.name), own.output != nil,
      (own.cN != nil) == configuration.module.recurrence.hasCellState,
      let input = try? chain.recurrentInput(index, value, chain.arithmetic.computation)
    else { return nil }
    let call = RecurrentCall(configuration, stateDict, input, in: chain.arithmetic)
    return Failure(
      chain: Chain(call), side: side, outputs: Results(own),
      oracle: Results(call.oracleOutputs), arithmetic: arithmetic)
  }
}

extension Diagnosis {
  /// The same of a module of a chain.
  func within(_ module: ChainModule) -> Diagnosis {
    let name = "\(module.name) (\(module.className))"
    var start = start
    start?.module = name
    return Diagnosis(
      explanations: explanations.map {
        Explanation(names: $0.names, sentence: "in \(name), \($0.sentence)")
      }, start: start, suspicion: suspicion, undeclared: undeclared)
  }
}
