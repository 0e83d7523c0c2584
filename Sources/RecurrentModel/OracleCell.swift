import TensorCore

/// One step of one direction of one layer, by the formulas of PyTorch's documentation of `LSTM`,
/// `GRU` and `RNN`.
struct OracleCell: Sendable {
  /// What goes from one step to the next. Only an LSTM has a cell state, `c`.
  struct State {
    var h: Vector
    var c: Vector?
  }

  private let recurrence: Recurrence
  private let nonlinearity: Nonlinearity
  private let weightIH: Matrix  // (G·H, I)
  private let weightHH: Matrix  // (G·H, P)
  private let biasIH: Vector  // (G·H); zeros without bias
  private let biasHH: Vector
  private let weightHR: Matrix?  // (P, H)

  init(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, layer: Int,
    _ direction: Direction
  ) {
    func matrix(_ role: ParameterSpecification.Role) -> Matrix? {
      stateDict[role, layer, direction].map {
        Matrix(rows: $0.shape.axes[0], columns: $0.shape.axes[1], elements: $0.elements())
      }
    }
    func vector(_ role: ParameterSpecification.Role) -> Vector? {
      stateDict[role, layer, direction].map { Vector($0.elements()) }
    }
    guard let weightIH = matrix(.weightIH), let weightHH = matrix(.weightHH) else {
      preconditionFailure("a checked state_dict holds every weight")
    }
    recurrence = configuration.module.recurrence
    nonlinearity = configuration.nonlinearity
    self.weightIH = weightIH
    self.weightHH = weightHH
    biasIH = vector(.biasIH) ?? .zeros(weightIH.rows)
    biasHH = vector(.biasHH) ?? .zeros(weightIH.rows)
    weightHR = matrix(.weightHR)
  }

  func step(_ x: Vector, _ state: State) -> State {
    switch recurrence {
    case .lstm: lstm(x, state)
    case .gru: gru(x, state)
    case .rnn: rnn(x, state)
    }
  }

  /// ```
  /// i = σ(W_ii x + b_ii + W_hi h + b_hi)
  /// f = σ(W_if x + b_if + W_hf h + b_hf)
  /// g = tanh(W_ig x + b_ig + W_hg h + b_hg)
  /// o = σ(W_io x + b_io + W_ho h + b_ho)
  /// c' = f ⊙ c + i ⊙ g
  /// h' = o ⊙ tanh(c'), with a projection W_hr (o ⊙ tanh(c'))
  /// ```
  private func lstm(_ x: Vector, _ state: State) -> State {
    let gates = (weightIH * x + biasIH + weightHH * state.h + biasHH).pieces(4)
    let i = sigmoid(gates[0])
    let f = sigmoid(gates[1])
    let g = tanh(gates[2])
    let o = sigmoid(gates[3])
    let c = f * (state.c ?? .zeros(f.elements.count)) + i * g
    let h = o * tanh(c)
    return State(h: weightHR.map { $0 * h } ?? h, c: c)
  }

  /// ```
  /// r = σ(W_ir x + b_ir + W_hr h + b_hr)
  /// z = σ(W_iz x + b_iz + W_hz h + b_hz)
  /// n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))
  /// h' = (1 − z) ⊙ n + z ⊙ h
  /// ```
  private func gru(_ x: Vector, _ state: State) -> State {
    let fromInput = (weightIH * x + biasIH).pieces(3)
    let fromHidden = (weightHH * state.h + biasHH).pieces(3)
    let r = sigmoid(fromInput[0] + fromHidden[0])
    let z = sigmoid(fromInput[1] + fromHidden[1])
    let n = tanh(fromInput[2] + r * fromHidden[2])
    return State(h: (1 - z) * n + z * state.h, c: nil)
  }

  /// ```
  /// h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or ReLU in place of tanh
  /// ```
  private func rnn(_ x: Vector, _ state: State) -> State {
    let sum = weightIH * x + biasIH + weightHH * state.h + biasHH
    let h =
      switch nonlinearity {
      case .tanh: tanh(sum)
      case .relu: relu(sum)
      }
    return State(h: h, c: nil)
  }
}
