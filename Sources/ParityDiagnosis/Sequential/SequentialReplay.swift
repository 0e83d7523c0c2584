import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorCore

/// A chain with one thing wrong, in doubles.
struct SequentialReplay {
  /// For people and programs, as a mistake's name.
  let name: String
  /// The module that is wrong.
  let module: SequentialModule
  let deed: String
  let advice: String
  let sequential: Sequential
  /// In all of the chain's recurrent modules; nil where the chain itself is changed.
  let mistake: Mistake?

  /// All that can be got wrong in a chain: first what stands around its recurrent modules.
  static func all(of sequential: Sequential) -> [SequentialReplay] {
    let changed = SequentialMistake.all.flatMap { mistake in
      mistake.applied(to: sequential).map { module, chain in
        SequentialReplay(
          name: mistake.name, module: module, deed: mistake.deed,
          advice: mistake.advice + (mistake.evidence.map { " (as in \($0))" } ?? ""),
          sequential: chain, mistake: nil)
      }
    }
    guard let first = sequential.modules.first(where: \.isRecurrent) else { return changed }
    // Of the two, the one in the chain's own words.
    let told = Set(SequentialMistake.all.map(\.name))
    return changed
      + Mistake.all.filter { !told.contains($0.name) }.map { mistake in
        SequentialReplay(
          name: mistake.name, module: first, deed: mistake.deed,
          advice: mistake.advice + (mistake.evidence.map { " (as in \($0))" } ?? ""),
          sequential: sequential, mistake: mistake)
      }
  }

  /// - Throws: `NotApplicable` where nobody could see the mistake, `InvalidValue` where a
  ///   module can't take what a wrong one hands on.
  func outputs(for input: Tensor, _ arithmetic: Arithmetic) throws -> SequentialOutput {
    try sequential.outputs(for: input, in: .float64, arithmetic) { call in
      guard let mistake else { return call.oracleOutputs }
      var replay = Replay(call)
      try mistake.apply(to: &replay)
      return replay.outputs()
    }
  }
}

extension SequentialModule {
  var isRecurrent: Bool {
    if case .recurrent = layer { true } else { false }
  }
}
