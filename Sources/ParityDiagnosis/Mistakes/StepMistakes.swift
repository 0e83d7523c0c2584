import RecurrentModel
import RoundingNoise

/// Formulas of a step that are not PyTorch's.
enum StepMistakes {
  static let all: [Mistake] = [
    Mistake(
      "b-hn-skipped-first", with: "b_hn left out at the first step",
      "PyTorch adds b_hn at every step, also where there is no initial state",
      by: ["MLX's GRU without an initial state"], evidence: "ml-explore/mlx#3249"
    ) { replay throws(NotApplicable) in
      try replay.require(
        replay.recurrence == .gru, "there is no b_hn",
        needs: "a GRU")
      try replay.requireBias()
      replay.scan.skipsFirstHiddenBias = true
    },
    Mistake(
      "reset-before-product", with: "the reset gate applied to h before the product",
      "PyTorch's n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)) resets the product, as Keras' "
        + "reset_after=True and ONNX' linear_before_reset=1",
      by: ["ONNX' linear_before_reset=0", "Keras' reset_after=False"],
      evidence: "keras-team/keras#15915"
    ) { replay throws(NotApplicable) in
      try replay.require(
        replay.recurrence == .gru, "there is no reset gate",
        needs: "a GRU")
      replay.scan.resetsBeforeProduct = true
    },
    Mistake(
      "update-reversed", with: "the update gate reversed, h' = z ⊙ n + (1 − z) ⊙ h",
      "PyTorch's h' = (1 − z) ⊙ n + z ⊙ h: z is the share that is kept",
      by: ["Cho et al. (2014) as Chung et al. (2014) write it"]
    ) { replay throws(NotApplicable) in
      try replay.require(
        replay.recurrence == .gru, "there is no update gate",
        needs: "a GRU")
      // 1 − σ(a) = σ(−a)
      let current = replay
      replay.changeParameters { parameter in
        let update = current.block(1, of: parameter)
        return current.tensor(parameter).mapping { update ~= $0 ? -$1 : $1 }
      }
    },
    Mistake(
      "nonlinearity-exchanged", with: "tanh and ReLU exchanged",
      "nonlinearity is 'tanh' unless the constructor was told 'relu'"
    ) { replay throws(NotApplicable) in
      try replay.require(
        replay.recurrence == .rnn, "there is no choice of a nonlinearity",
        needs: "an RNN")
      try replay.setConfiguration(
        replay.configuration.with(
          nonlinearity: replay.configuration.nonlinearity == .tanh ? .relu : .tanh))
    },
    Mistake(
      "relu-in-place-of-tanh", with: "ReLU in the place of tanh",
      "PyTorch's LSTM and GRU have tanh, and no choice",
      by: ["Keras' activation='relu'"]
    ) { replay throws(NotApplicable) in
      try replay.requireGates()
      replay.scan.activatesByReLU = true
    },
    hardSigmoid("hard-sigmoid-keras-3", "x/6 + ½", 1.0 / 6, by: "Keras 3"),
    hardSigmoid("hard-sigmoid-keras-2", "0.2·x + ½", 0.2, by: "Keras 2"),
    Mistake(
      "cell-output-linear", with: "h' = o ⊙ c', without tanh", "PyTorch's h' = o ⊙ tanh(c')"
    ) { replay throws(NotApplicable) in
      try replay.require(
        replay.recurrence == .lstm, "there is no cell state",
        needs: "an LSTM")
      replay.scan.leavesCellLinear = true
    },
    steps("first-step-skipped", "the first step that each direction reads", .firstSkipped),
    steps("last-step-skipped", "the last step that each direction reads", .lastSkipped),
    Mistake(
      "last-step-twice", with: "the last step run twice for the final states",
      "h_n and c_n are the states after the last step"
    ) { replay throws(NotApplicable) in
      try replay.requireSequences()
      try replay.setSteps(.lastTwice)
    },
  ]

  private static func hardSigmoid(
    _ name: String, _ formula: String, _ slope: Double, by origin: String
  ) -> Mistake {
    Mistake(
      name, with: "a hard sigmoid, \(formula) cut off at 0 and 1, in the place of σ",
      "PyTorch's gates are 1 / (1 + e⁻ˣ)",
      by: ["\(origin)'s recurrent_activation='hard_sigmoid'"]
    ) { replay throws(NotApplicable) in
      try replay.requireGates()
      replay.scan.hardSigmoidSlope = slope
    }
  }

  private static func steps(
    _ name: String, _ which: String, _ steps: ScanVariant.Steps
  ) -> Mistake {
    Mistake(name, with: "\(which) left out", "every step changes the state") {
      replay throws(NotApplicable) in
      try replay.requireSequences()
      try replay.setSteps(steps)
    }
  }
}

extension Replay {
  fileprivate func requireGates() throws(NotApplicable) {
    try require(
      recurrence != .rnn, "there are no gates",
      needs: "an LSTM or a GRU")
  }
}
