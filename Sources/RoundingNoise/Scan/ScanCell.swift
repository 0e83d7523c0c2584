import RealModule
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
  private let variant: StepVariant
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
  /// For each unit, the rows of its gates in the matrix that h is multiplied with, where a variant
  /// computes one unit after the other.
  private let unitWeights: [Operations.Matrix]

  init(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, layer: Int,
    _ direction: Direction, _ variant: StepVariant, matrix: (ScanMatrix) -> Operations.Matrix
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
    if recurrence == .lstm, variant.addedToForget != 0 {
      hidden.addToBias(variant.addedToForget, of: hidden.rows / 4..<hidden.rows / 2)
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
      isGRU && variant.resetsBeforeProduct ? matrix(hidden.rows(Array(candidate))) : nil
    firstCandidateWeights =
      isGRU && variant.resetsBeforeProduct && variant.skipsFirstHiddenBias
      ? matrix(hidden.withoutBias(of: candidate).rows(Array(candidate))) : nil
    unitWeights =
      variant.updatesInPlace
      ? (0..<count).map { unit in
        matrix(hidden.rows(Array(stride(from: unit, to: hidden.rows, by: count))))
      } : []
  }

  /// - Parameter step: how many steps this direction has read before this one.
  func step(_ x: Vector, _ state: State, _ operations: Operations, step: Int) -> State {
    let own = operations.at(step: step)
    let fromInput = own.product(inputWeights, rounded(x, variant.inputRounding, own), .inputProduct)
    var new =
      unitWeights.isEmpty
      ? self.step(fromInput, state, own, isFirst: step == 0)
      : stepInPlace(fromInput, state, own)
    if variant.offsets.hidden != 0 {
      new.h = own.mapped(new.h) { $0.map { $0 * (1 + variant.offsets.hidden) } }
    }
    if variant.keptOfHidden > 0 {
      new.h = mixed(state.h, variant.keptOfHidden, new.h, .kept, own)
    }
    if variant.keptOfCell > 0, let (old, c) = pair(state.c, new.c) {
      new.c = mixed(old, variant.keptOfCell, c, .forgotten, own)
    }
    return new
  }

  private func step(
    _ fromInput: Vector, _ state: State, _ own: Operations, isFirst: Bool
  ) -> State {
    let hiddenWeights = isFirst ? firstHiddenWeights ?? self.hiddenWeights : self.hiddenWeights
    let fromHidden = own.product(
      hiddenWeights, rounded(state.h, variant.hiddenRounding, own), .hiddenProduct)
    switch recurrence {
    case .lstm: return lstm(fromInput, fromHidden, state, own)
    case .gru:
      let candidate = isFirst ? firstCandidateWeights ?? candidateWeights : candidateWeights
      return gru(fromInput, fromHidden, state, own, candidateWeights: candidate)
    case .rnn: return rnn(fromInput, fromHidden, own)
    }
  }

  /// The step one unit after the other, each of which finds the new h of those before it.
  private func stepInPlace(_ fromInput: Vector, _ state: State, _ own: Operations) -> State {
    let (count, gates) = (unitWeights.count, fromInput.count / unitWeights.count)
    var state = state
    for unit in 0..<count {
      let products = own.product(unitWeights[unit], state.h, .hiddenProduct)
      let fromHidden = Vector(count: fromInput.count) { products[min($0 / count, gates - 1)] }
      let new: State
      switch recurrence {
      case .lstm: new = lstm(fromInput, fromHidden, state, own, only: unit)
      case .gru: new = gru(fromInput, fromHidden, state, own, candidateWeights: nil, only: unit)
      case .rnn: new = rnn(fromInput, fromHidden, own)
      }
      let h = state.h
      state.h = Vector(count: count) { $0 == unit ? new.h[$0] : h[$0] }
      if let (c, newC) = pair(state.c, new.c) {
        state.c = Vector(count: count) { $0 == unit ? newC[$0] : c[$0] }
      }
    }
    return state
  }

  /// A vector as the variant rounds it before a product.
  private func rounded(
    _ x: Vector, _ rounding: StepVariant.Rounding8?, _ operations: Operations
  ) -> Vector {
    rounding.map { operations.mapped(x, $0.rounded) } ?? x
  }

  private func pair(_ a: Vector?, _ b: Vector?) -> (Vector, Vector)? {
    if let a, let b { (a, b) } else { nil }
  }

  private func mixed(
    _ old: Vector, _ share: Double, _ new: Vector, _ operation: NoiseDraws.Operation,
    _ operations: Operations
  ) -> Vector {
    Vector(count: new.count) { operations.mixed(old[$0], share, new[$0], operation, $0) }
  }

  /// The sums of one gate with their mean over the units subtracted, divided by their standard
  /// deviation.
  private func normalized(
    _ sums: [Number], _ gate: Int, _ operations: Operations
  ) -> [Number] {
    func mean(_ numbers: [Number]) -> Number {
      var sum = numbers[0]
      for (unit, number) in numbers.enumerated().dropFirst() {
        sum = operations.sum(sum, number, .cellSum, unit)
      }
      return operations.applied(
        { $0 / Double(numbers.count) }, to: sum, error: 0, .cellActivation, gate)
    }
    let center = mean(sums)
    let centered = sums.enumerated().map { operations.difference($1, center, .gateSum, $0) }
    let variance = mean(
      centered.enumerated().map { operations.product($1, $1, .admitted, $0) })
    let factor = operations.applied(
      { 1 / ($0 + 1e-5).squareRoot() }, to: variance, error: 0, .projection, gate)
    return centered.enumerated().map { operations.product($1, factor, .resetProduct, $0) }
  }

  /// The sums of some gates, normalised as the variant says.
  private func gateSums(
    _ gates: Range<Int>, _ fromInput: Vector, _ fromHidden: (Int) -> Number,
    _ operations: Operations
  ) -> [Number] {
    let count = unitTwins.count
    func sums(_ rows: Range<Int>) -> [Number] {
      rows.map { operations.sum(fromInput[$0], fromHidden($0), .gateSum, $0) }
    }
    if variant.normalization == .joined {
      return normalized(
        sums(gates.lowerBound * count..<gates.upperBound * count), 0, operations)
    }
    return gates.flatMap { normalized(sums($0 * count..<($0 + 1) * count), $0, operations) }
  }

  private func lstm(
    _ fromInput: Vector, _ fromHidden: Vector, _ state: State, _ operations: Operations,
    only: Int? = nil
  ) -> State {
    let count = fromInput.count / 4
    let normalized =
      variant.normalization != .none
      ? gateSums(0..<4, fromInput, { fromHidden[$0] }, operations) : nil
    func gate(_ number: Int, _ unit: Int) -> Number {
      let row = rowTwins[number * count + unit]
      let sum =
        normalized?[number * count + unit]
        ?? operations.sum(fromInput[row], fromHidden[row], .gateSum, row)
      return number == 2
        ? candidate(sum, .gate, row, operations) : squashed(sum, row, operations)
    }
    let old = state.c ?? Vector([Double](repeating: 0, count: count))
    let cells = (0..<count).map { unit -> Number in
      if let only, unit != only { return old[unit] }
      let twin = unitTwins[unit]
      let admitting = gate(0, unit)
      let forget =
        variant.couplesGates ? operations.complement(admitting, twin) : gate(1, unit)
      let forgotten = operations.product(forget, old[unit], .forgotten, twin)
      let admitted = operations.product(admitting, gate(2, unit), .admitted, twin)
      let new = operations.sum(forgotten, admitted, .cellSum, twin)
      if variant.offsets.cell != 0 {
        return operations.applied(
          { $0 * (1 + variant.offsets.cell) }, to: new, error: 0, .cellSum, twin)
      }
      return variant.cellClip.map { operations.clipped(new, at: $0) } ?? new
    }
    let shown =
      variant.normalization == .gatesAndCell ? self.normalized(cells, 4, operations) : cells
    let h = Vector(count: count) { unit in
      if let only, unit != only { return old[unit] }
      let twin = unitTwins[unit]
      let active: Number =
        switch variant.cellOutput {
        case .activated: activation(shown[unit], .cellActivation, twin, operations)
        case .linear: shown[unit]
        case .squashed: operations.sigmoid(shown[unit], .cellActivation, twin)
        case .old: activation(old[unit], .cellActivation, twin, operations)
        }
      return operations.product(gate(3, unit), active, .hidden, twin)
    }
    let c = Vector(count: count) { cells[$0] }
    return State(h: projection.map { operations.product($0, h, .projection) } ?? h, c: c)
  }

  private func gru(
    _ fromInput: Vector, _ fromHidden: Vector, _ state: State, _ operations: Operations,
    candidateWeights: Operations.Matrix?, only: Int? = nil
  ) -> State {
    let count = fromInput.count / 3
    let normalized =
      variant.normalization != .none
      ? gateSums(0..<2, fromInput, { fromHidden[$0] }, operations) : nil
    func gate(_ number: Int, _ unit: Int) -> Number {
      let row = rowTwins[number * count + unit]
      let sum =
        normalized?[number * count + unit]
        ?? operations.sum(fromInput[row], fromHidden[row], .gateSum, row)
      return squashed(sum, row, operations)
    }
    let fromReset = candidateWeights.map { weights in
      let reset = Vector(count: count) { unit in
        operations.product(gate(0, unit), state.h[unit], .resetProduct, unitTwins[unit])
      }
      return operations.product(weights, reset, .hiddenProduct)
    }
    func reset(_ unit: Int) -> Number {
      let product = fromHidden[rowTwins[2 * count + unit]]
      if let fromReset { return fromReset[unit] }
      return variant.ignoresReset
        ? product
        : operations.product(gate(0, unit), product, .resetProduct, unitTwins[unit])
    }
    let candidates =
      variant.normalization != .none
      ? gateSums(2..<3, fromInput, { reset($0 - 2 * count) }, operations) : nil
    let h = Vector(count: count) { unit in
      if let only, unit != only { return state.h[unit] }
      let (row, twin) = (rowTwins[2 * count + unit], unitTwins[unit])
      let sum =
        candidates?[unit] ?? operations.sum(fromInput[row], reset(unit), .gateSum, row)
      return operations.interpolated(
        from: candidate(sum, .candidate, twin, operations), to: state.h[unit], by: gate(1, unit),
        twin)
    }
    return State(h: h, c: nil)
  }

  private func rnn(
    _ fromInput: Vector, _ fromHidden: Vector, _ operations: Operations
  ) -> State {
    let normalized =
      variant.normalization != .none
      ? gateSums(0..<1, fromInput, { fromHidden[$0] }, operations) : nil
    let h = Vector(count: fromInput.count) { unit in
      let row = rowTwins[unit]
      let sum =
        normalized?[unit] ?? operations.sum(fromInput[row], fromHidden[row], .gateSum, row)
      return nonlinearity == .relu
        ? operations.relu(sum) : candidate(sum, .gate, row, operations)
    }
    return State(
      h: h, c: nil, productSize: (fromInput.values + fromHidden.values).rootMeanSquare)
  }

  /// The sigmoid, or what the variant has in its place.
  private func squashed(_ sum: Number, _ row: Int, _ operations: Operations) -> Number {
    guard let other = variant.sigmoid else {
      let result = operations.sigmoid(sum, .gate, row)
      let offsets = variant.offsets
      guard offsets.sigmoid != 0 || offsets.sigmoidShift != 0 else { return result }
      return operations.applied(
        { $0 * (1 + offsets.sigmoid) + offsets.sigmoidShift }, to: result, error: 0, .gate, row)
    }
    return operations.applied(other.sigmoid, to: sum, error: other.error, .gate, row)
  }

  /// The tanh that makes a candidate, or what the variant has in its place.
  private func candidate(
    _ sum: Number, _ operation: NoiseDraws.Operation, _ unit: Int, _ operations: Operations
  ) -> Number {
    variant.tanh == .sigmoid
      ? operations.sigmoid(sum, operation, unit) : activation(sum, operation, unit, operations)
  }

  /// The tanh, or what the variant has in its place.
  private func activation(
    _ sum: Number, _ operation: NoiseDraws.Operation, _ unit: Int, _ operations: Operations
  ) -> Number {
    switch variant.tanh {
    case .relu where recurrence != .rnn: operations.relu(sum)
    case .fromSigmoid: operations.tanhFromSigmoid(sum, operation, unit)
    case .other(let function):
      operations.applied(function.tanh, to: sum, error: 2 * function.error, operation, unit)
    case nil where variant.offsets.tanh != 0:
      operations.applied(
        { .tanh($0) * (1 + variant.offsets.tanh) }, to: sum, error: 0, operation, unit)
    case nil, .sigmoid, .relu: operations.tanh(sum, operation, unit)
    }
  }
}
