import RecurrentModel
import RoundingNoise
import TensorCore

/// Formulas of a step that are not PyTorch's.
enum FormulaMistakes {
  static let all = known + ofGates + ofCells + ofUnits

  private static let known: [Mistake] = [
    Mistake(
      "b-hn-skipped-first", with: "b_hn left out at the first step",
      "PyTorch adds b_hn at every step, also where there is no initial state",
      by: ["MLX's GRU without an initial state"], issue: "ml-explore/mlx#3249",
      needs: [.gru, .biases]
    ) { $0.scan.step.skipsFirstHiddenBias = true },
    Mistake(
      "reset-before-product", with: "the reset gate applied to h before the product",
      "PyTorch's n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)) resets the product, as Keras' "
        + "reset_after=True and ONNX' linear_before_reset=1",
      by: ["ONNX' linear_before_reset=0", "Keras' reset_after=False"],
      issue: "keras-team/keras#15915", needs: [.gru]
    ) { $0.scan.step.resetsBeforeProduct = true },
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
    ) { $0.scan.step.tanh = .relu },
    Mistake(
      "cell-output-linear", with: "h' = o ⊙ c', without tanh", "PyTorch's h' = o ⊙ tanh(c')",
      needs: [.lstm]
    ) { $0.scan.step.cellOutput = .linear },
  ]

  private static let ofGates: [Mistake] = [
    Mistake(
      "reset-ignored", with: "the reset gate left out, as if r were 1",
      "n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))", needs: [.gru]
    ) { $0.scan.step.ignoresReset = true },
    Mistake(
      "coupled-gates", with: "coupled gates, f = 1 − i", "PyTorch's forget gate is one of its own",
      by: ["Greff et al. (2015), CIFG"], needs: [.lstm]
    ) { $0.scan.step.couplesGates = true },
    Mistake(
      "sigmoid-for-candidate",
      with: "σ in the place of tanh for the candidate (g, n, or an RNN's h')",
      "the candidate is made by tanh, the gates by σ", needs: [.tanh]
    ) { $0.scan.step.tanh = .sigmoid },
    layerNorm("layer-norm", "over the units in each gate's sums", .gates),
    layerNorm(
      "layer-norm-with-cell",
      "over the units in each gate's sums, and of the cell state before tanh",
      .gatesAndCell, needs: [.lstm]),
    layerNorm("layer-norm-joint", "over all gates' sums together", .joined, needs: [.lstm]),
  ]

  private static func layerNorm(
    _ name: String, _ what: String, _ normalization: StepVariant.Normalization,
    needs: [Requirement] = []
  ) -> Mistake {
    Mistake(
      name, with: "layer norm \(what)", "PyTorch's modules normalise nothing",
      by: ["layer-normalised cells (Ba et al., 2016)"], needs: [.severalUnits] + needs
    ) { $0.scan.step.normalization = normalization }
  }

  private static let ofCells: [Mistake] = [
    Mistake(
      "sigmoid-of-cell", with: "h' = o ⊙ σ(c')", "PyTorch's h' = o ⊙ tanh(c')", needs: [.lstm]
    ) { $0.scan.step.cellOutput = .squashed },
    Mistake(
      "old-cell-in-h", with: "h' made from the cell state before the step, o ⊙ tanh(c)",
      "PyTorch's h' = o ⊙ tanh(c'), with the new cell state", needs: [.lstm]
    ) { $0.scan.step.cellOutput = .old },
    Mistake(
      "cell-clipped", with: "the cell state clipped to ±{n}", "PyTorch clips nothing",
      by: ["TensorFlow's cell_clip"], needs: [.lstm],
      amounts: { _, clues in
        let round = [1.0, 3, 5, 10, 0.5, 2, 20, 50]
        guard let largest = clues.largestCell else { return round }
        let near = (largest * 1e5).rounded() / 1e5
        return [near] + round.filter { $0 != near && $0 >= largest }
      },
      { replay, limit in replay.scan.step.cellClip = limit }),
  ]

  private static let ofUnits: [Mistake] = [
    Mistake(
      "h-overwritten-in-place",
      with: "h overwritten in place, unit by unit, while the step still reads it",
      "all units of a step are made from the h of the step before", issue: "onnx/onnx-mlir#367",
      needs: [.noProjection, .severalUnits, .hiddenStates]
    ) { $0.scan.step.updatesInPlace = true },
    zoneout("zoneout", "h and c", needs: []) { replay, share in
      replay.scan.step.keptOfHidden = share
      replay.scan.step.keptOfCell = share
    },
    zoneout("zoneout-h", "h", needs: [.lstm]) { $0.scan.step.keptOfHidden = $1 },
    zoneout("zoneout-c", "c", needs: [.lstm]) { $0.scan.step.keptOfCell = $1 },
  ]

  private static func zoneout(
    _ name: String, _ states: String, needs: [Requirement],
    _ change: @escaping @Sendable (inout Replay, Double) -> Void
  ) -> Mistake {
    Mistake(
      name, with: "a share of {n} of the old \(states) kept at every step, as zoneout does",
      "PyTorch's modules have no zoneout", by: ["zoneout's expectation at inference"],
      needs: needs,
      amounts: { _, _ in [0.1, 0.05, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5] },
      { replay, share in change(&replay, share) })
  }
}
