import RecurrentModel
import TensorCore

/// One step of one direction of one layer: the formulas of `OracleCell`, operation by operation,
/// and what a variant has in their place.
struct ScanCell<Operations: StepOperations>: Sendable {
  typealias Number = Operations.Number
  typealias Vector = Operations.Vector

  /// What goes from one step to the next.
  struct State {
    var h: Vector
    /// The cell state; nil where the module has none.
    var c: Vector?
    /// The root mean square of the two products W_ih x + b_ih and W_hh h + b_hh that a plain RNN
    /// has made h of, which can be larger than h by far; nil elsewhere.
    var productSize: Double?
  }

  private let recurrence: Recurrence
  private let nonlinearity: Nonlinearity
  private let variant: ScanVariant
  private let inputWeights: Operations.Matrix
  private let hiddenWeights: Operations.Matrix
  /// For each row of the gates, the first that rounds alike.
  private let rowTwins: [Int]
  /// For each unit, the first of which all gates round alike. The operations of such units share
  /// their draws: equal numbers make equal errors, which do not average out where they are summed.
  private let unitTwins: [Int]
  private let projection: Operations.Matrix?
  /// What h is multiplied with at the first step, where a variant has another bias there.
  private let firstHiddenWeights: Operations.Matrix?
  /// GRU's rows of n alone, where a variant multiplies them with r ⊙ h.
  private let candidateWeights: Operations.Matrix?
  /// The same at the first step, where the variant has another bias there too.
  private let firstCandidateWeights: Operations.Matrix?

  init(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, layer: Int,
    _ direction: Direction, _ variant: ScanVariant, matrix: (ScanMatrix) -> Operations.Matrix
  ) {
    guard let inputWeights = stateDict[.weightIH, layer, direction],
      let hiddenWeights = stateDict[.weightHH, layer, direction]
    else { preconditionFailure("a checked state_dict holds every weight") }
    recurrence = configuration.module.recurrence
    nonlinearity = configuration.nonlinearity
    self.variant = variant
    var input = ScanMatrix(inputWeights, bias: stateDict[.biasIH, layer, direction])
    input.isStoredBeforeBias = layer == 0 && configuration.batchFirst
    if recurrence == .lstm, let other = stateDict[.biasHH, layer, direction] {
      input.biasSums = zip(input.bias, other.elements(as: Double.self)).map { $0 + $1 }
    }
    self.inputWeights = matrix(input)
    var hidden = ScanMatrix(hiddenWeights, bias: stateDict[.biasHH, layer, direction])
    if recurrence == .lstm, variant.addsOneToForget {
      hidden.addToBias(1, of: hidden.rows / 4..<hidden.rows / 2)
    }
    self.hiddenWeights = matrix(hidden)
    let count = configuration.hiddenSize
    let twins = Operations.twins(self.inputWeights, self.hiddenWeights)
    rowTwins = twins ?? Array(0..<hidden.rows)
    unitTwins =
      twins.map { twins in
        (0..<count).map { unit in stride(from: unit, to: twins.count, by: count).map { twins[$0] } }
          .firstPlaces
      } ?? Array(0..<count)
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

  /// - Parameter step: how many steps this direction has read before this one.
  func step(_ x: Vector, _ state: State, _ operations: Operations, step: Int) -> State {
    let own = operations.at(step: step)
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
    _ fromInput: Vector, _ fromHidden: Vector, _ state: State, _ operations: Operations
  ) -> State {
    let count = fromInput.count / 4
    func gate(_ number: Int, _ unit: Int) -> Number {
      let row = rowTwins[number * count + unit]
      let sum = operations.sum(fromInput[row], fromHidden[row], .gateSum, row)
      return number == 2
        ? activation(sum, .gate, row, operations) : squashed(sum, row, operations)
    }
    let old = state.c ?? Vector([Double](repeating: 0, count: count))
    var cells: [Number] = []
    cells.reserveCapacity(count)
    let h = Vector(count: count) { unit in
      let twin = unitTwins[unit]
      let forgotten = operations.product(gate(1, unit), old[unit], .forgotten, twin)
      let admitted = operations.product(gate(0, unit), gate(2, unit), .admitted, twin)
      let new = operations.sum(forgotten, admitted, .cellSum, twin)
      cells.append(new)
      let active =
        variant.leavesCellLinear ? new : activation(new, .cellActivation, twin, operations)
      return operations.product(gate(3, unit), active, .hidden, twin)
    }
    let c = Vector(count: count) { cells[$0] }
    return State(h: projection.map { operations.product($0, h, .projection) } ?? h, c: c)
  }

  private func gru(
    _ fromInput: Vector, _ fromHidden: Vector, _ state: State, _ operations: Operations,
    candidateWeights: Operations.Matrix?
  ) -> State {
    let count = fromInput.count / 3
    func gate(_ number: Int, _ unit: Int) -> Number {
      let row = rowTwins[number * count + unit]
      return squashed(
        operations.sum(fromInput[row], fromHidden[row], .gateSum, row), row, operations)
    }
    let fromReset = candidateWeights.map { weights in
      let reset = Vector(count: count) { unit in
        operations.product(gate(0, unit), state.h[unit], .resetProduct, unitTwins[unit])
      }
      return operations.product(weights, reset, .hiddenProduct)
    }
    let h = Vector(count: count) { unit in
      let (row, twin) = (rowTwins[2 * count + unit], unitTwins[unit])
      let reset =
        fromReset?[unit]
        ?? operations.product(gate(0, unit), fromHidden[row], .resetProduct, twin)
      let candidate = activation(
        operations.sum(fromInput[row], reset, .gateSum, row), .candidate, twin, operations)
      return operations.interpolated(
        from: candidate, to: state.h[unit], by: gate(1, unit), twin)
    }
    return State(h: h, c: nil)
  }

  private func rnn(
    _ fromInput: Vector, _ fromHidden: Vector, _ operations: Operations
  ) -> State {
    let h = Vector(count: fromInput.count) { unit in
      let row = rowTwins[unit]
      let sum = operations.sum(fromInput[row], fromHidden[row], .gateSum, row)
      return nonlinearity == .relu
        ? operations.relu(sum) : activation(sum, .gate, row, operations)
    }
    return State(
      h: h, c: nil, productSize: (fromInput.values + fromHidden.values).rootMeanSquare)
  }

  /// The sigmoid, or what the variant has in its place.
  private func squashed(_ sum: Number, _ row: Int, _ operations: Operations) -> Number {
    guard let slope = variant.hardSigmoidSlope else {
      return operations.sigmoid(sum, .gate, row)
    }
    return operations.hardSigmoid(sum, slope: slope, .gate, row)
  }

  /// The tanh, or what the variant has in its place.
  private func activation(
    _ sum: Number, _ operation: NoiseDraws.Operation, _ unit: Int, _ operations: Operations
  ) -> Number {
    if variant.activatesByReLU, recurrence != .rnn { return operations.relu(sum) }
    return variant.makesTanhFromSigmoid
      ? operations.tanhFromSigmoid(sum, operation, unit)
      : operations.tanh(sum, operation, unit)
  }
}
