import RealModule
import RecurrentModel
import TensorCore

/// One sequence through all layers and directions, in doubles and in replicas.
struct NoiseScan {
  let configuration: RecurrentConfiguration
  /// By layer, then direction.
  let cells: [[NoisyCell]]
  let input: RecurrentInput
  let sequence: Int
  /// Which sixteen of the replicas.
  let group: Int
  let model: RoundingModel

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
    let length = input.length(of: sequence)
    var vectors = (0..<length).map { NoisyVector(inputVector(step: $0)) }
    var isLost = [Bool](repeating: false, count: length)
    for layer in 0..<configuration.numLayers {
      var passes: [Pass] = []
      for direction in configuration.directions {
        let pass = run(layer, direction, over: vectors, isLost)
        result.h.append(pass.final.map { sigmas($0.h) } ?? lostState)
        result.c.append(
          pass.final.map { $0.c.map(sigmas) ?? [] } ?? lostCell)
        result.values.h.append(pass.final?.h.values ?? [])
        result.values.c.append(pass.final?.c?.values ?? [])
        if let final = pass.final {
          result.spread.h.add(final.h)
          if let c = final.c { result.spread.c.add(c) }
        }
        if pass.final == nil {
          let steps = pass.isLost.count { !$0 }
          result.agreeingSteps = min(result.agreeingSteps ?? steps, steps)
        }
        passes.append(pass)
      }
      if layer == configuration.numLayers - 1 {
        for pass in passes {
          for step in 0..<length where !pass.isLost[step] {
            result.spread.output.add(pass.hidden[step])
          }
        }
        result.output = (0..<length).map { step in
          passes.flatMap { pass in
            pass.isLost[step] ? lostState : sigmas(pass.hidden[step])
          }
        }
      }
      vectors = (0..<length).map { step in
        NoisyVector(
          passes.flatMap { $0.hidden[step].values },
          replicas: passes.flatMap { $0.hidden[step].replicas ?? [] })
      }
      isLost = (0..<length).map { step in passes.contains { $0.isLost[step] } }
    }
    result.values.output = vectors.map(\.values)
    return result
  }

  private var lostState: [Double?] { Array(repeating: nil, count: configuration.outputSize) }

  private var lostCell: [Double?] {
    let count = configuration.module.recurrence.hasCellState ? configuration.hiddenSize : 0
    return Array(repeating: nil, count: count)
  }

  /// One direction of one layer.
  private struct Pass {
    var hidden: [NoisyVector]
    var isLost: [Bool]
    /// nil where it is lost.
    var final: NoisyCell.State?
  }

  private func run(
    _ layer: Int, _ direction: Direction, over vectors: [NoisyVector], _ inputIsLost: [Bool]
  ) -> Pass {
    let draws = NoiseDraws(
      layer: layer, direction: direction.rawValue, sequence: sequence, group: group,
      units: configuration.module.recurrence.gates.count * configuration.hiddenSize)
    let cell = cells[layer][direction.rawValue]
    var state = initialState(layer, direction)
    let none = NoisyVector([Double](repeating: 0, count: configuration.outputSize))
    var pass = Pass(
      hidden: Array(repeating: none, count: vectors.count),
      isLost: Array(repeating: true, count: vectors.count))
    for position in vectors.indices {
      let step = direction == .forward ? position : vectors.count - 1 - position
      if inputIsLost[step] { return pass }
      state = cell.step(vectors[step], state, draws, step: position)
      if parted(state) { return pass }
      pass.hidden[step] = state.h
      pass.isLost[step] = false
    }
    pass.final = state
    return pass
  }

  private func inputVector(step: Int) -> [Double] {
    let start = input.layout.row(sequence: sequence, step: step) * configuration.inputSize
    return (start..<start + configuration.inputSize).map(input.input.double(at:))
  }

  private func initialState(_ layer: Int, _ direction: Direction) -> NoisyCell.State {
    let row = configuration.stateRow(layer: layer, direction)
    func vector(_ tensor: Tensor?, _ size: Int) -> NoisyVector {
      guard let tensor else { return NoisyVector([Double](repeating: 0, count: size)) }
      let start = (row * input.layout.batch + sequence) * size
      return NoisyVector((start..<start + size).map(tensor.double(at:)))
    }
    return NoisyCell.State(
      h: vector(input.h0, configuration.outputSize),
      c: configuration.module.recurrence.hasCellState
        ? vector(input.c0, configuration.hiddenSize) : nil)
  }

  /// Whether the replicas have gone ways of their own: root mean square σ of h, or
  /// of tanh c, above `NoiseEstimate.lostDeviation`; of ReLU's h relative to the
  /// state, since nothing bounds it, or where it nears overflow.
  private func parted(_ state: NoisyCell.State) -> Bool {
    let deviation = rms(deviations(state.h))
    if configuration.module.recurrence == .rnn, configuration.nonlinearity == .relu {
      let size = rms(state.h.values.filter(\.isFinite))
      return !(deviation * model.inflation <= NoiseEstimate.lostDeviation * size)
        && deviation > model.smallestNormal || size > model.overflow
    }
    if let c = state.c {
      let active = NoisyVector(
        c.values.map(Double.tanh),
        replicas: c.replicas?.map(NoiseKernels.current.tanh))
      if !(rms(deviations(active)) * model.inflation <= NoiseEstimate.lostDeviation) {
        return true
      }
    }
    return !(deviation * model.inflation <= NoiseEstimate.lostDeviation)
  }

  private func sigmas(_ vector: NoisyVector) -> [Double?] {
    let own = deviations(vector)
    guard let least = vector.least else { return own }
    return zip(own, least).map { max($0, $1) }
  }

  /// What the replicas say of each unit's σ; 0 where its value is not finite, and so
  /// can't be off by a bit.
  private func deviations(_ vector: NoisyVector) -> [Double] {
    guard let replicas = vector.replicas else { return vector.values.map { _ in 0 } }
    return zip(vector.values, replicas).map { value, replicas in
      guard value.isFinite else { return 0 }
      return (replicas - value).rootMeanSquare / model.inflation
    }
  }

  private func rms(_ values: [Double]) -> Double {
    values.isEmpty
      ? 0 : (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
  }
}
