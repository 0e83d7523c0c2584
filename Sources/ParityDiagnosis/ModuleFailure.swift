import ParityJudging
import RecurrentModel
import TensorCore

extension Failure {
  /// The failure of the first module of a chain that differs, as a case of its own: the module is
  /// given what the failing side handed to it. It is nil where that module is not recurrent, and
  /// where the results of the failing side do not tell what it was given.
  ///
  /// - Complexity: O(1 forward pass of the module).
  var ofFirstDiffering: (module: ChainModule, failure: Failure)? {
    guard let first = firstDiffering, hasShapes else { return nil }
    let given =
      first == 0 ? chain.input.tensor : handedOn(by: chain.modules[first - 1])
    return given.flatMap { failure(of: first, given: $0) }.map { (chain.modules[first], $0) }
  }

  /// The modules in which a mistake may have been made that shows first where this failure does:
  /// the module that differs, and those before it back to the last one whose results are there
  /// and agree.
  var suspects: ClosedRange<Int> {
    guard let first = firstDiffering else { return 0...chain.modules.count - 1 }
    let agreeing = chain.modules[..<first].lastIndex { outputs[$0.qualified("output")] != nil }
    return (agreeing ?? 0)...first
  }

  /// What a module handed on in the failing side, as far as that is known, and else what the
  /// oracle computes. The failing side's own rounding is part of it.
  private func handedOn(by module: ChainModule) -> Tensor? {
    if case .recurrent(_, _, select: .hN) = module.layer { return nil }
    let name = module.qualified("output")
    return outputs[name] ?? oracle[name]
  }

  /// The failure of the recurrent module at a place in the chain, given this value.
  private func failure(of index: Int, given value: Tensor) -> Failure? {
    let module = chain.modules[index]
    guard case .recurrent(let configuration, let stateDict, _) = module.layer,
      let own = outputs.outputs(of: module.name), own.output != nil,
      (own.cN != nil) == configuration.module.recurrence.hasCellState,
      let input = try? chain.recurrentInput(index, value, chain.arithmetic.computation)
    else { return nil }
    let alone = Chain(
      RecurrentCall(configuration, stateDict, input, in: chain.arithmetic), chain.activations)
    guard let truth = try? Truth(alone) else { return nil }
    return Failure(
      chain: alone, side: side, outputs: Results(own), oracle: truth.results, stated: stated)
  }
}

extension Diagnosis {
  /// The diagnosis of a module, told as that of the chain that it stands in.
  func within(_ module: ChainModule) -> Diagnosis {
    let name = "\(module.name) (\(module.className))"
    var start = start
    start?.module = name
    return Diagnosis(
      explanations: explanations.map {
        Explanation(names: $0.names, sentence: "in \(name), \($0.sentence)")
      }, start: start, observations: observations, untried: untried, suspicion: suspicion,
      undeclared: undeclared)
  }
}
