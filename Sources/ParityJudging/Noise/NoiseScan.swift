import RecurrentModel
import TensorCore

/// One sequence through all layers and directions, in doubles and in replicas.
struct NoiseScan {
  let configuration: RecurrentConfiguration
  /// By layer, then direction.
  let cells: [[ScanCell<StepNoise>]]
  let input: RecurrentInput
  let sequence: Int
  /// Which sixteen of the replicas.
  let group: Int
  let model: RoundingModel
  var variant = ScanVariant()

  /// σ of every element, nil for what is lost.
  struct Result {
    /// By step, for the sequence's own length.
    var output: [[Double?]] = []
    /// By row of `h_n`.
    var h: [[Double?]] = []
    /// By row of `c_n`; empty rows where the module has no cell state.
    var c: [[Double?]] = []
    /// How much each replica is off in each of the three, for all elements together.
    var spread = (output: ReplicaSpread(), h: ReplicaSpread(), c: ReplicaSpread())
    /// What the replicas err about, in the order of the σ: the oracle's results, or
    /// what an emulation makes of them; zeros or empty rows for what is lost.
    var values = (output: [[Double]](), h: [[Double]](), c: [[Double]]())
    /// How many steps the first direction to be lost reads before; nil for none.
    var agreeingSteps: Int?
  }

  func run() -> Result {
    var result = Result()
    let layers = SequenceScan(
      configuration: configuration, cells: cells, input: input, sequence: sequence,
      variant: variant
    ).run(arithmetic, isLost: LostReplicas(configuration, model).holds)
    for pass in layers.joined() {
      result.h.append(pass.final.map { $0.h.sigmas(model) } ?? lostState)
      result.c.append(pass.final.map { $0.c?.sigmas(model) ?? [] } ?? lostCell)
      result.values.h.append(pass.final?.h.values ?? [])
      result.values.c.append(pass.final?.c?.values ?? [])
      if let final = pass.final {
        result.spread.h.add(final.h)
        if let c = final.c { result.spread.c.add(c) }
      } else {
        let steps = pass.isLost.count { !$0 }
        result.agreeingSteps = min(result.agreeingSteps ?? steps, steps)
      }
    }
    let last = layers.last ?? []
    for pass in last {
      for (step, hidden) in pass.hidden.enumerated() where !pass.isLost[step] {
        result.spread.output.add(hidden)
      }
    }
    let steps = 0..<input.length(of: sequence)
    result.output = steps.map { step in
      last.flatMap { $0.isLost[step] ? lostState : $0.hidden[step].sigmas(model) }
    }
    result.values.output = steps.map { step in last.flatMap { $0.hidden[step].values } }
    return result
  }

  private func arithmetic(_ layer: Int, _ direction: Direction) -> StepNoise {
    let draws = NoiseDraws(
      layer: layer, direction: direction.rawValue, sequence: sequence, group: group,
      units: configuration.module.recurrence.gates.count * configuration.hiddenSize)
    return StepNoise(model: model, draws: draws, step: 0)
  }

  private var lostState: [Double?] { Array(repeating: nil, count: configuration.outputSize) }

  private var lostCell: [Double?] {
    let count = configuration.module.recurrence.hasCellState ? configuration.hiddenSize : 0
    return Array(repeating: nil, count: count)
  }
}
