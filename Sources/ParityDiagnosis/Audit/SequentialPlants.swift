import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorCore

/// The bugs that the audit plants into a chain.
struct SequentialPlants {
  let chain: SequentialCase

  /// Outcomes by kind: every known mistake in every module, and ±10% in the largest element
  /// of each parameter of the modules around the recurrent ones. O(one forward pass each).
  func findings(_ judge: SequentialOutputsJudge) -> [CaseAudit.Finding] {
    let replays = SequentialReplay.all(of: chain.sequential)
    let planted = replays.map { replay in
      finding(replay.name, replay.mistake == nil ? replay.module.name : "", judge) {
        try replay.outputs(for: chain.input, chain.arithmetic)
      }
    }
    // Also what no module gives a place to: some other case may.
    let missing = SequentialMistake.all.filter { mistake in
      !replays.contains { $0.name == mistake.name }
    }.map { mistake in
      CaseAudit.Finding(
        kind: mistake.name, detail: "",
        outcome: .notApplicable(NotApplicable("no module has a place for it", needs: mistake.need)))
    }
    return planted + missing + numbers(judge)
  }

  /// Doubles, rounded once, which every case must let pass.
  func control(_ judge: SequentialOutputsJudge) -> CaseAudit.Finding {
    finding("control", "doubles, rounded once", judge) {
      try chain.sequential.outputs(for: chain.input, in: .float64, chain.arithmetic) {
        $0.oracleOutputs
      }
    }
  }

  private func numbers(_ judge: SequentialOutputsJudge) -> [CaseAudit.Finding] {
    chain.sequential.modules.indices.flatMap { index in
      [1.1, 0.9].flatMap { factor in
        chain.sequential.modules[index].layer.scaled(by: factor, used: used).map {
          kind, layer in
          finding("\(kind) \(factor > 1 ? "+10%" : "-10%")", "", judge) {
            var modules = chain.sequential.modules
            modules[index] = SequentialModule(name: modules[index].name, layer: layer)
            return try Sequential(modules).outputs(for: chain.input, in: .float64, chain.arithmetic)
            {
              $0.oracleOutputs
            }
          }
        }
      }
    }
  }

  /// The rows of an embedding that the input names.
  private var used: Set<Int> { Set((chain.input.integers ?? []).map { Int($0) }) }

  private func finding(
    _ kind: String, _ detail: String, _ judge: SequentialOutputsJudge,
    _ outputs: () throws -> SequentialOutput
  ) -> CaseAudit.Finding {
    let outcome: CaseAudit.Outcome
    do {
      outcome = judge.accepts(try outputs().stored(in: chain.arithmetic)) ? .survived : .killed
    } catch let error as NotApplicable {
      outcome = .notApplicable(error)
    } catch {
      // A module that can't take what a wrong one hands on is seen by whoever runs it.
      outcome = .killed
    }
    return CaseAudit.Finding(kind: kind, detail: detail, outcome: outcome)
  }
}

extension SequentialModule.Layer {
  /// With the largest element of a parameter changed, parameter by parameter.
  ///
  /// - Parameter used: the rows of an embedding that anybody could see.
  fileprivate func scaled(
    by factor: Double, used: Set<Int>
  ) -> [(kind: String, layer: SequentialModule.Layer)] {
    func scaled(_ tensor: Tensor, where isSeen: (Int) -> Bool = { _ in true }) -> Tensor? {
      let offsets = (0..<tensor.count).filter {
        isSeen($0) && tensor.double(at: $0) != 0 && tensor.double(at: $0).isFinite
      }
      let largest = offsets.max { abs(tensor.double(at: $0)) < abs(tensor.double(at: $1)) }
      return largest.map { largest in
        tensor.mapping { $0 == largest ? $1 * factor : $1 }
      }
    }
    switch self {
    case .embedding(let weight, let padding):
      let size = max(1, weight.shape.axes[1])
      return scaled(weight) { used.contains($0 / size) }.map {
        [("largest embedding weight", .embedding(weight: $0, paddingIdx: padding))]
      } ?? []
    case .linear(let weight, let bias):
      return
        (scaled(weight).map { [("largest linear weight", .linear(weight: $0, bias: bias))] } ?? [])
        + (bias.flatMap { scaled($0) }.map {
          [("largest linear bias", .linear(weight: weight, bias: $0))]
        } ?? [])
    case .recurrent, .directionMerge, .softmax:
      return []
    }
  }
}

extension SequentialOutput {
  /// As a chain of this arithmetic returns it.
  fileprivate func stored(in arithmetic: Arithmetic) -> SequentialOutput {
    SequentialOutput(
      intermediates: intermediates.map { ($0.name, $0.tensor.rounded(to: arithmetic.storage)) },
      output: output.rounded(to: arithmetic.storage))
  }
}
