import ParityJudging
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
      let layout = replay.input.layout
      try replay.requireBatchOfSteps(layout)
      try replay.require(
        replay.input.packing == nil, "lengths would not fit the other axis", needs: "no packing")
      try replay.require(
        layout.batch == layout.steps || replay.input.h0 == nil,
        "the initial states would not fit the other axis",
        needs: "as many sequences as steps, or no initial states")
      replay.setConfiguration(
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
      let input = replay.input
      replay.setInput(h0: input.c0, c0: input.h0, packing: input.packing)
    },
    Mistake(
      "initial-states-directions-swapped",
      with: "each layer's directions exchanged in the initial states",
      "h_0[2·layer] is the forward direction's and h_0[2·layer + 1] the reverse's"
    ) { replay throws(NotApplicable) in
      try replay.requireTwoDirections()
      try replay.takeInitialRows { configuration in
        (0..<configuration.stateRows).map { $0 ^ 1 }
      }
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
    _ name: String, _ deed: String, _ advice: String,
    _ states: @escaping @Sendable (Tensor, Tensor?, RecurrentConfiguration) -> (Tensor, Tensor?)
  ) -> Mistake {
    Mistake(name, with: deed, advice) { replay throws(NotApplicable) in
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
      return (h.takingRows(order), c?.takingRows(order))
    }
  }

  fileprivate mutating func changeInitialStates(
    _ change: (Tensor, Tensor?, RecurrentConfiguration) -> (Tensor, Tensor?)
  ) {
    guard let h0 = input.h0 else { return }
    let (h, c) = change(h0, input.c0, configuration)
    let type = input.input.elementType
    setInput(h0: h.rounded(to: type), c0: c?.rounded(to: type), packing: input.packing)
  }
}
