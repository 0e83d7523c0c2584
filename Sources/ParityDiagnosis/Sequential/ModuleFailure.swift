import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorComparison
import TensorCore

extension SequentialFailure {
  /// The first module whose results differ and its failure by itself, given what the failing
  /// side handed to it; nil where that is no recurrent module, or not told by what the
  /// failing side says. O(one forward pass).
  var firstDiffering: (module: SequentialModule, failure: Failure)? {
    var input: Tensor? = chain.input
    for module in chain.sequential.modules {
      if differs(module) {
        return input.flatMap { failure(of: module, given: $0) }.map { (module, $0) }
      }
      input = handedOn(by: module)
    }
    return nil
  }

  private func differs(_ module: SequentialModule) -> Bool {
    Self.results.contains { result in
      let name = module.name + "." + result
      guard let given = outputs[name], let exact = oracle[name], let limits = limits(name) else {
        return false
      }
      return !TensorDifference(of: given, from: exact, within: limits).agrees
    }
  }

  private static let results = ["output", "h_n", "c_n"]

  /// As far as it is told: its own rounding is part of it.
  private func handedOn(by module: SequentialModule) -> Tensor? {
    switch module.layer {
    case .recurrent(_, _, select: .hN), .recurrent(_, _, select: .firstLayer),
      .recurrent(_, _, select: .lastStep):
      nil
    case .recurrent, .embedding, .directionMerge, .linear, .softmax:
      outputs[module.name + ".output"] ?? oracle[module.name + ".output"]
    }
  }

  private func failure(of module: SequentialModule, given input: Tensor) -> Failure? {
    guard case .recurrent(let configuration, let stateDict, _) = module.layer,
      let output = outputs[module.name + ".output"], let hN = outputs[module.name + ".h_n"],
      let input = try? RecurrentInput(
        input: input.rounded(to: chain.arithmetic.computation), for: configuration)
    else { return nil }
    let cN = outputs[module.name + ".c_n"]
    guard (cN != nil) == configuration.module.recurrence.hasCellState else { return nil }
    let call = RecurrentCall(configuration, stateDict, input, in: chain.arithmetic)
    return Failure(
      call: call, side: side, outputs: RecurrentOutput(output: output, hN: hN, cN: cN),
      oracle: Oracle(call).outputs(for: input))
  }
}

extension Diagnosis {
  /// The same of a module of a chain.
  func within(_ module: SequentialModule) -> Diagnosis {
    let name = "\(module.name) (\(module.className))"
    var start = start
    start?.module = name
    return Diagnosis(
      explanations: explanations.map {
        Explanation(names: $0.names, sentence: "in \(name), \($0.sentence)")
      }, start: start, suspicion: suspicion)
  }
}
