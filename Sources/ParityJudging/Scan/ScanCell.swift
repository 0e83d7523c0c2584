import RecurrentModel
import TensorCore

/// One step of one direction of one layer: the formulas of `OracleCell`, operation by
/// operation, and what a variant has in their place.
struct ScanCell<Arithmetic: StepArithmetic>: Sendable {
  typealias Number = Arithmetic.Number
  typealias Vector = Arithmetic.Vector

  struct State {
    var h: Vector
    /// nil where the module has no cell state.
    var c: Vector?
  }

  private let recurrence: Recurrence
  private let nonlinearity: Nonlinearity
  private let variant: ScanVariant
  private let inputWeights: Arithmetic.Matrix
  private let hiddenWeights: Arithmetic.Matrix
  private let projection: Arithmetic.Matrix?
  /// What multiplies h at the first step, where a variant has another bias there.
  private let firstHiddenWeights: Arithmetic.Matrix?
  /// GRU's rows of n alone, where a variant multiplies them with r ⊙ h.
  private let candidateWeights: Arithmetic.Matrix?
  /// The same at the first step, where both variants are asked for.
  private let firstCandidateWeights: Arithmetic.Matrix?

  init(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, layer: Int,
    _ direction: Direction, _ variant: ScanVariant, matrix: (ScanMatrix) -> Arithmetic.Matrix
  ) {
    guard let inputWeights = stateDict[.weightIH, layer, direction],
      let hiddenWeights = stateDict[.weightHH, layer, direction]
    else { preconditionFailure("a checked state_dict holds every weight") }
    recurrence = configuration.module.recurrence
    nonlinearity = configuration.nonlinearity
    self.variant = variant
    self.inputWeights = matrix(
      ScanMatrix(inputWeights, bias: stateDict[.biasIH, layer, direction]))
    var hidden = ScanMatrix(hiddenWeights, bias: stateDict[.biasHH, layer, direction])
    if recurrence == .lstm, variant.addsOneToForget {
      hidden.addToBias(1, of: hidden.rows / 4..<hidden.rows / 2)
    }
    self.hiddenWeights = matrix(hidden)
    projection = stateDict[.weightHR, layer, direction].map { matrix(ScanMatrix($0, bias: nil)) }
    let isGRU = recurrence == .gru
    let candidate = hidden.rows / 3 * 2..<hidden.rows
    firstHiddenWeights =
      isGRU && variant.skipsFirstHiddenBias ? matrix(hidden.withoutBias(of: candidate)) : nil
    candidateWeights =
      isGRU && variant.resetsBeforeProduct ? matrix(hidden.rows(candidate)) : nil
    firstCandidateWeights =
      isGRU && variant.resetsBeforeProduct && variant.skipsFirstHiddenBias
      ? matrix(hidden.withoutBias(of: candidate).rows(candidate)) : nil
  }

  /// - Parameter step: how many steps this direction has read before.
  func step(_ x: Vector, _ state: State, _ arithmetic: Arithmetic, step: Int) -> State {
    let own = arithmetic.at(step: step)
    let hiddenWeights = step == 0 ? firstHiddenWeights ?? self.hiddenWeights : self.hiddenWeights
    let fromInput = own.product(inputWeights, x, .inputProduct)
    let fromHidden = own.product(hiddenWeights, state.h, .hiddenProduct)
    switch recurrence {
    case .lstm: return lstm(fromInput, fromHidden, state, own)
    case .gru:
      let candidate = step == 0 ? firstCandidateWeights ?? candidateWeights : candidateWeights
      return gru(fromInput, fromHidden, state, own, candidateWeights: candidate)
    case .rnn: return rnn(fromInput, fromHidden, own)
    }
  }

  private func lstm(
    _ fromInput: Vector, _ fromHidden: Vector, _ state: State, _ arithmetic: Arithmetic
  ) -> State {
    let count = fromInput.count / 4
    func gate(_ number: Int, _ unit: Int) -> Number {
      let row = number * count + unit
      let sum = arithmetic.sum(fromInput[row], fromHidden[row], .gateSum, row)
      return number == 2
        ? activation(sum, .gate, row, arithmetic) : squashed(sum, row, arithmetic)
    }
    let old = state.c ?? Vector([Double](repeating: 0, count: count))
    var cells: [Number] = []
    cells.reserveCapacity(count)
    let h = Vector(count: count) { unit in
      let forgotten = arithmetic.product(gate(1, unit), old[unit], .forgotten, unit)
      let admitted = arithmetic.product(gate(0, unit), gate(2, unit), .admitted, unit)
      let new = arithmetic.sum(forgotten, admitted, .cellSum, unit)
      cells.append(new)
      let active =
        variant.leavesCellLinear ? new : activation(new, .cellActivation, unit, arithmetic)
      return arithmetic.product(gate(3, unit), active, .hidden, unit)
    }
    let c = Vector(count: count) { cells[$0] }
    return State(h: projection.map { arithmetic.product($0, h, .projection) } ?? h, c: c)
  }

  private func gru(
    _ fromInput: Vector, _ fromHidden: Vector, _ state: State, _ arithmetic: Arithmetic,
    candidateWeights: Arithmetic.Matrix?
  ) -> State {
    let count = fromInput.count / 3
    func gate(_ number: Int, _ unit: Int) -> Number {
      let row = number * count + unit
      return squashed(
        arithmetic.sum(fromInput[row], fromHidden[row], .gateSum, row), row, arithmetic)
    }
    let fromReset = candidateWeights.map { weights in
      let reset = Vector(count: count) { unit in
        arithmetic.product(gate(0, unit), state.h[unit], .resetProduct, unit)
      }
      return arithmetic.product(weights, reset, .hiddenProduct)
    }
    let h = Vector(count: count) { unit in
      let row = 2 * count + unit
      let reset =
        fromReset?[unit]
        ?? arithmetic.product(gate(0, unit), fromHidden[row], .resetProduct, unit)
      let candidate = activation(
        arithmetic.sum(fromInput[row], reset, .gateSum, row), .candidate, unit, arithmetic)
      let z = gate(1, unit)
      let renewed = arithmetic.product(
        arithmetic.complement(z, unit), candidate, .renewed, unit)
      let kept = arithmetic.product(z, state.h[unit], .kept, unit)
      return arithmetic.sum(renewed, kept, .hidden, unit)
    }
    return State(h: h, c: nil)
  }

  private func rnn(
    _ fromInput: Vector, _ fromHidden: Vector, _ arithmetic: Arithmetic
  ) -> State {
    let h = Vector(count: fromInput.count) { unit in
      let sum = arithmetic.sum(fromInput[unit], fromHidden[unit], .gateSum, unit)
      return nonlinearity == .relu
        ? arithmetic.relu(sum) : activation(sum, .gate, unit, arithmetic)
    }
    return State(h: h, c: nil)
  }

  /// σ
  private func squashed(_ sum: Number, _ row: Int, _ arithmetic: Arithmetic) -> Number {
    guard let slope = variant.hardSigmoidSlope else {
      return arithmetic.sigmoid(sum, .gate, row)
    }
    return arithmetic.hardSigmoid(sum, slope: slope, .gate, row)
  }

  /// tanh
  private func activation(
    _ sum: Number, _ operation: NoiseDraws.Operation, _ unit: Int, _ arithmetic: Arithmetic
  ) -> Number {
    if variant.activatesByReLU, recurrence != .rnn { return arithmetic.relu(sum) }
    return variant.makesTanhFromSigmoid
      ? arithmetic.tanhFromSigmoid(sum, operation, unit)
      : arithmetic.tanh(sum, operation, unit)
  }
}
