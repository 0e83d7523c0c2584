/// A recurrent module of `torch.nn`; the raw value is the name of its class.
package enum RecurrentModule: String, Sendable, CaseIterable {
  case lstm = "LSTM"
  case gru = "GRU"
  case rnn = "RNN"
  case lstmCell = "LSTMCell"
  case gruCell = "GRUCell"
  case rnnCell = "RNNCell"

  package init(_ recurrence: Recurrence, isCell: Bool) {
    self =
      switch recurrence {
      case .lstm: isCell ? .lstmCell : .lstm
      case .gru: isCell ? .gruCell : .gru
      case .rnn: isCell ? .rnnCell : .rnn
      }
  }

  /// The formulas that the module computes a step by.
  package var recurrence: Recurrence {
    switch self {
    case .lstm, .lstmCell: .lstm
    case .gru, .gruCell: .gru
    case .rnn, .rnnCell: .rnn
    }
  }

  /// Whether this is a cell: one step of one layer, which takes an input and a state and returns
  /// the next state.
  package var isCell: Bool {
    switch self {
    case .lstm, .gru, .rnn: false
    case .lstmCell, .gruCell, .rnnCell: true
    }
  }
}

/// The formulas of one step, which a module shares with its cell: `LSTM` with `LSTMCell`.
package enum Recurrence: Sendable, CaseIterable {
  case lstm
  case gru
  case rnn

  /// The gates in the order in which their blocks of rows stand in `weight_ih` and `weight_hh`,
  /// by the letters of PyTorch's documentation.
  package var gates: [String] {
    switch self {
    case .lstm: ["i", "f", "g", "o"]
    case .gru: ["r", "z", "n"]
    case .rnn: ["h"]
    }
  }

  /// Whether there is a cell state, c, beside the hidden state, h.
  package var hasCellState: Bool { self == .lstm }
}

/// What `RNN` and `RNNCell` apply to a step's sum.
package enum Nonlinearity: String, Sendable, CaseIterable {
  case tanh
  case relu
}

/// One of the two ways in which a layer reads a sequence. The raw value is its place among the
/// rows of a layer in `h_n`, and in the last axis of `output`.
package enum Direction: Int, Sendable, CaseIterable {
  case forward = 0
  case reverse = 1
}
