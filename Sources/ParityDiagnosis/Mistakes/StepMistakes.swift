import RecurrentModel
import RoundingNoise

/// Formulas of a step that are not PyTorch's, and steps that are not run as often as they should
/// be.
enum StepMistakes {
  static let all: [Mistake] = [
    Mistake(
      "b-hn-skipped-first", with: "b_hn left out at the first step",
      "PyTorch adds b_hn at every step, also where there is no initial state",
      by: ["MLX's GRU without an initial state"], issue: "ml-explore/mlx#3249",
      needs: [.gru, .biases]
    ) { $0.scan.skipsFirstHiddenBias = true },
    Mistake(
      "reset-before-product", with: "the reset gate applied to h before the product",
      "PyTorch's n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)) resets the product, as Keras' "
        + "reset_after=True and ONNX' linear_before_reset=1",
      by: ["ONNX' linear_before_reset=0", "Keras' reset_after=False"],
      issue: "keras-team/keras#15915", needs: [.gru]
    ) { $0.scan.resetsBeforeProduct = true },
    Mistake(
      "update-reversed", with: "the update gate reversed, h' = z ⊙ n + (1 − z) ⊙ h",
      "PyTorch's h' = (1 − z) ⊙ n + z ⊙ h: z is the share that is kept",
      by: ["Cho et al. (2014) as Chung et al. (2014) write it"], needs: [.gru]
    ) { replay in
      // 1 − σ(a) = σ(−a)
      replay.changeParameters { current, parameter in
        let update = current.block(1, of: parameter)
        return current.tensor(parameter).mapping { update ~= $0 ? -$1 : $1 }
      }
    },
    Mistake(
      "nonlinearity-exchanged", with: "tanh and ReLU exchanged",
      "nonlinearity is 'tanh' unless the constructor was told 'relu'", needs: [.rnn]
    ) { replay throws(NotApplicable) in
      let own = replay.configuration
      try replay.setConfiguration(own.with(nonlinearity: own.nonlinearity == .tanh ? .relu : .tanh))
    },
    Mistake(
      "relu-in-place-of-tanh", with: "ReLU in the place of tanh",
      "PyTorch's LSTM and GRU have tanh, and no choice",
      by: ["Keras' activation='relu'"], needs: [.lstmOrGRU]
    ) { $0.scan.activatesByReLU = true },
    hardSigmoid("hard-sigmoid-keras-3", "x/6 + ½", 1.0 / 6, by: "Keras 3"),
    hardSigmoid("hard-sigmoid-keras-2", "0.2·x + ½", 0.2, by: "Keras 2"),
    Mistake(
      "cell-output-linear", with: "h' = o ⊙ c', without tanh", "PyTorch's h' = o ⊙ tanh(c')",
      needs: [.lstm]
    ) { $0.scan.leavesCellLinear = true },
    steps("first-step-skipped", "the first step that each direction reads", .firstSkipped),
    steps("last-step-skipped", "the last step that each direction reads", .lastSkipped),
    Mistake(
      "last-step-twice", with: "the last step run twice for the final states",
      "h_n and c_n are the states after the last step", needs: [.sequences, .unchangedSteps]
    ) { $0.scan.steps = .lastTwice },
  ]

  private static func hardSigmoid(
    _ name: String, _ formula: String, _ slope: Double, by origin: String
  ) -> Mistake {
    Mistake(
      name, with: "a hard sigmoid, \(formula) cut off at 0 and 1, in the place of σ",
      "PyTorch's gates are 1 / (1 + e⁻ˣ)",
      by: ["\(origin)'s recurrent_activation='hard_sigmoid'"], needs: [.lstmOrGRU]
    ) { $0.scan.hardSigmoidSlope = slope }
  }

  private static func steps(
    _ name: String, _ which: String, _ steps: ScanVariant.Steps
  ) -> Mistake {
    Mistake(
      name, with: "\(which) left out", "every step changes the state",
      needs: [.sequences, .unchangedSteps]
    ) { $0.scan.steps = steps }
  }
}
