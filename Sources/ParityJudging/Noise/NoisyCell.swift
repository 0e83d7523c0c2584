import RealModule
import RecurrentModel
import TensorComparison
import TensorCore

/// A vector, and what it is in each of the replicas.
struct NoisyVector {
  var values: [Double]
  /// nil where all replicas have the values themselves.
  var replicas: [Replicas]?
  /// The least σ of each unit, whatever the replicas say; nil for 0.
  var least: [Double]?

  init(_ values: [Double], replicas: [Replicas]? = nil, least: [Double]? = nil) {
    self.values = values
    self.replicas = replicas
    self.least = least
  }

  init(count: Int, numbers: (Int) -> NoisyNumber) {
    var builder = NoisyBuilder(count: count)
    for unit in 0..<count { builder.append(numbers(unit)) }
    self = builder.vector
  }

  var count: Int { values.count }

  subscript(unit: Int) -> NoisyNumber {
    NoisyNumber(
      value: values[unit], replicas: replicas?[unit] ?? Replicas(repeating: values[unit]))
  }
}

struct NoisyNumber {
  var value: Double
  var replicas: Replicas
  /// The least σ, whatever the replicas say.
  var least = 0.0
}

/// One step of one direction of one layer, in doubles and in sixteen replicas
/// whose every operation errs as `RoundingModel` says: the formulas of
/// `OracleCell`, operation by operation.
struct NoisyCell {
  struct State {
    var h: NoisyVector
    /// nil where the module has no cell state.
    var c: NoisyVector?
  }

  private let recurrence: Recurrence
  private let nonlinearity: Nonlinearity
  private let inputWeights: NoisyMatrix
  private let hiddenWeights: NoisyMatrix
  private let projection: NoisyMatrix?
  private let model: RoundingModel

  init(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, layer: Int,
    _ direction: Direction, _ model: RoundingModel
  ) {
    guard let inputWeights = stateDict[.weightIH, layer, direction],
      let hiddenWeights = stateDict[.weightHH, layer, direction]
    else { preconditionFailure("a checked state_dict holds every weight") }
    recurrence = configuration.module.recurrence
    nonlinearity = configuration.nonlinearity
    self.inputWeights = NoisyMatrix(
      inputWeights, bias: stateDict[.biasIH, layer, direction], model.emulation)
    self.hiddenWeights = NoisyMatrix(
      hiddenWeights, bias: stateDict[.biasHH, layer, direction], model.emulation)
    projection = stateDict[.weightHR, layer, direction].map {
      NoisyMatrix($0, bias: nil, model.emulation)
    }
    self.model = model
  }

  /// - Parameter step: the number of the step, for the draws.
  func step(_ x: NoisyVector, _ state: State, _ draws: NoiseDraws, step: Int) -> State {
    let noise = StepNoise(model: model, draws: draws, step: step)
    let fromInput = inputWeights.product(with: x, noise, .inputProduct)
    let fromHidden = hiddenWeights.product(with: state.h, noise, .hiddenProduct)
    switch recurrence {
    case .lstm: return lstm(fromInput, fromHidden, state, noise)
    case .gru: return gru(fromInput, fromHidden, state, noise)
    case .rnn: return rnn(fromInput, fromHidden, noise)
    }
  }

  private func lstm(
    _ fromInput: NoisyVector, _ fromHidden: NoisyVector, _ state: State, _ noise: StepNoise
  ) -> State {
    let count = fromInput.count / 4
    func gate(_ number: Int, _ unit: Int) -> NoisyNumber {
      let row = number * count + unit
      let sum = noise.sum(fromInput[row], fromHidden[row], .gateSum, row)
      return number == 2 ? noise.tanh(sum, .gate, row) : noise.sigmoid(sum, .gate, row)
    }
    let old = state.c ?? NoisyVector([Double](repeating: 0, count: count))
    var c = NoisyBuilder(count: count)
    var h = NoisyBuilder(count: count)
    for unit in 0..<count {
      let forgotten = noise.product(gate(1, unit), old[unit], .forgotten, unit)
      let admitted = noise.product(gate(0, unit), gate(2, unit), .admitted, unit)
      let new = noise.sum(forgotten, admitted, .cellSum, unit)
      let active = noise.tanh(new, .cellActivation, unit)
      c.append(new)
      h.append(noise.product(gate(3, unit), active, .hidden, unit))
    }
    let hidden = projection?.product(with: h.vector, noise, .projection) ?? h.vector
    return State(h: hidden, c: c.vector)
  }

  private func gru(
    _ fromInput: NoisyVector, _ fromHidden: NoisyVector, _ state: State, _ noise: StepNoise
  ) -> State {
    let count = fromInput.count / 3
    func gate(_ number: Int, _ unit: Int) -> NoisyNumber {
      let row = number * count + unit
      return noise.sigmoid(
        noise.sum(fromInput[row], fromHidden[row], .gateSum, row), .gate, row)
    }
    var h = NoisyBuilder(count: count)
    for unit in 0..<count {
      let row = 2 * count + unit
      let reset = noise.product(gate(0, unit), fromHidden[row], .resetProduct, unit)
      let candidate = noise.tanh(
        noise.sum(fromInput[row], reset, .gateSum, row), .candidate, unit)
      let z = gate(1, unit)
      let renewed = noise.product(noise.complement(z, unit), candidate, .renewed, unit)
      let kept = noise.product(z, state.h[unit], .kept, unit)
      h.append(noise.sum(renewed, kept, .hidden, unit))
    }
    return State(h: h.vector, c: nil)
  }

  private func rnn(
    _ fromInput: NoisyVector, _ fromHidden: NoisyVector, _ noise: StepNoise
  ) -> State {
    var h = NoisyBuilder(count: fromInput.count)
    for unit in 0..<fromInput.count {
      let sum = noise.sum(fromInput[unit], fromHidden[unit], .gateSum, unit)
      switch nonlinearity {
      case .tanh: h.append(noise.tanh(sum, .gate, unit))
      case .relu: h.append(noise.relu(sum))
      }
    }
    return State(h: h.vector, c: nil)
  }
}

/// Collects the units of a vector.
private struct NoisyBuilder {
  private var values: [Double] = []
  private var replicas: [Replicas] = []
  private var least: [Double] = []

  init(count: Int) {
    values.reserveCapacity(count)
    replicas.reserveCapacity(count)
  }

  mutating func append(_ number: NoisyNumber) {
    values.append(number.value)
    replicas.append(number.replicas)
    least.append(number.least)
  }

  var vector: NoisyVector { NoisyVector(values, replicas: replicas, least: least) }
}
