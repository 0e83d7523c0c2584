import RecurrentModel
import TensorCore

/// Inputs and initial states taken for something else.
enum InputMistakes {
  static let all: [Mistake] = [
    Mistake(
      "batch-first-mistaken", with: "batch_first mistaken",
      "with batch_first=True the input is (B, T, I), else (T, B, I)",
      evidence: "pytorch/pytorch#19675", mixesSequences: true
    ) { replay throws(NotApplicable) in
      let layout = replay.layout
      try replay.requireBatchOfSteps(layout)
      try replay.require(
        replay.packing == nil, "lengths would not fit the other axis", needs: "no packing")
      try replay.require(
        layout.batch == layout.steps || replay.h0 == nil,
        "the initial states would not fit the other axis",
        needs: "as many sequences as steps, or no initial states")
      try replay.setConfiguration(
        replay.configuration.with(batchFirst: !replay.configuration.batchFirst))
    },
    initial(
      "initial-states-ignored", "the initial states ignored",
      "the first step starts from h_0 and c_0 where they are given"
    ) { h, c, _ in (h.zeros, c?.zeros) },
    Mistake(
      "initial-states-exchanged", with: "h_0 and c_0 exchanged",
      "an LSTM takes the pair (h_0, c_0), in this order",
      by: ["Keras' initial_state=[h, c] filled the other way round"]
    ) { replay throws(NotApplicable) in
      try replay.requireInitialStates()
      try replay.require(
        replay.recurrence == .lstm, "there is no cell state",
        needs: "an LSTM")
      try replay.require(
        replay.configuration.projSize == 0, "h_0 and c_0 have different shapes",
        needs: "no projection")
      replay.setInput(h0: replay.c0, c0: replay.h0)
    },
    Mistake(
      "initial-states-directions-swapped",
      with: "each layer's directions exchanged in the initial states",
      "h_0[2·layer] is the forward direction's and h_0[2·layer + 1] the reverse's"
    ) { replay throws(NotApplicable) in
      try replay.requireTwoDirections()
      try replay.takeInitialRows(\.directionsExchanged)
    },
    Mistake(
      "initial-states-layers-reversed", with: "the layers of the initial states in reverse order",
      "the first row of h_0 is the first layer's"
    ) { replay throws(NotApplicable) in
      try replay.requireLayers()
      try replay.takeInitialRows(\.layersReversed)
    },
    Mistake(
      "initial-states-direction-major",
      with: "the initial states read as ordered by direction, then layer",
      "PyTorch's rows are ordered by layer, then direction: row 2·layer + direction"
    ) { replay throws(NotApplicable) in
      try replay.requireTwoDirections()
      try replay.requireLayers()
      try replay.takeInitialRows(\.readDirectionMajor)
    },
  ]

  private static func initial(
    _ name: String, _ summary: String, _ advice: String,
    _ states: @escaping @Sendable (Tensor, Tensor?, RecurrentConfiguration) -> (Tensor, Tensor?)
  ) -> Mistake {
    Mistake(name, with: summary, advice) { replay throws(NotApplicable) in
      try replay.requireInitialStates()
      replay.changeInitialStates(states)
    }
  }
}

extension Replay {
  fileprivate mutating func takeInitialRows(
    _ order: (RecurrentConfiguration) -> [Int]
  ) throws(NotApplicable) {
    try requireInitialStates()
    changeInitialStates { h, c, configuration in
      let order = order(configuration)
      return (h.takingBlocks(order), c?.takingBlocks(order))
    }
  }

  fileprivate mutating func changeInitialStates(
    _ change: (Tensor, Tensor?, RecurrentConfiguration) -> (Tensor, Tensor?)
  ) {
    guard let h0 else { return }
    let (h, c) = change(h0, c0, configuration)
    setInput(h0: h.rounded(to: h0.elementType), c0: c?.rounded(to: h0.elementType))
  }
}

extension RecurrentConfiguration {
  /// The same module with other arguments, known to be ones that it takes.
  func with(batchFirst: Bool? = nil, nonlinearity: Nonlinearity? = nil) -> RecurrentConfiguration {
    guard
      let other = try? RecurrentConfiguration(
        module: module, inputSize: inputSize, hiddenSize: hiddenSize, numLayers: numLayers,
        bias: bias, batchFirst: batchFirst ?? self.batchFirst, bidirectional: bidirectional,
        projSize: projSize, nonlinearity: nonlinearity ?? self.nonlinearity)
    else { preconditionFailure("these arguments are as good as those before") }
    return other
  }
}
