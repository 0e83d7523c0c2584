/// A recurrent module of `torch.nn`, by its class's name.
package enum RecurrentModule: String, Sendable, CaseIterable {
  case lstm = "LSTM"
  case gru = "GRU"

  /// The gates in the order in which their rows stand in `weight_ih` and
  /// `weight_hh`, by the letters of PyTorch's documentation.
  package var gates: [String] {
    switch self {
    case .lstm: ["i", "f", "g", "o"]
    case .gru: ["r", "z", "n"]
    }
  }

  /// Whether the module has a cell state beside the hidden state.
  package var hasCellState: Bool { self == .lstm }
}

/// One of the two ways in which a layer reads a sequence; the number is its
/// place in `h_n` and in the last axis of `output`.
package enum Direction: Int, Sendable, CaseIterable {
  case forward = 0
  case reverse = 1
}
