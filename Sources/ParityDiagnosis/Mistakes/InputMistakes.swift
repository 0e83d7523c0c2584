import RecurrentModel
import TensorCore

/// Inputs and initial states that are taken for something else.
enum InputMistakes {
  static let all: [Mistake] = [
    Mistake(
      "batch-first-mistaken", with: "batch_first mistaken",
      "with batch_first=True the input is (B, T, I), else (T, B, I)",
      issue: "pytorch/pytorch#19675",
      needs: [.batchAxis, .sequences, .severalVectors, .noPacking, fittingStates],
      mixesSequences: true
    ) { replay throws(NotApplicable) in
      let own = replay.configuration
      try replay.setConfiguration(own.with(batchFirst: !own.batchFirst))
    },
    initialStates(
      "initial-states-ignored", with: "the initial states ignored",
      "the first step starts from h_0 and c_0 where they are given"
    ) { state, _ in state.zeros.rounded(to: state.elementType) },
    Mistake(
      "initial-states-exchanged", with: "h_0 and c_0 exchanged",
      "an LSTM takes the pair (h_0, c_0), in this order",
      by: ["Keras' initial_state=[h, c] filled the other way round"],
      needs: [.sequences, .initialStates, .lstm, .noProjection]
    ) { $0.setInput(h0: $0.c0, c0: $0.h0) },
    initialStates(
      "initial-states-directions-swapped",
      with: "each layer's directions exchanged in the initial states",
      "h_0[2·layer] is the forward direction's and h_0[2·layer + 1] the reverse's",
      needs: [.twoDirections]
    ) { $0.takingBlocks($1.directionsExchanged) },
    initialStates(
      "initial-states-layers-reversed", with: "the layers of the initial states in reverse order",
      "the first row of h_0 is the first layer's", needs: [.severalLayers]
    ) { $0.takingBlocks($1.layersReversed) },
    initialStates(
      "initial-states-direction-major",
      with: "the initial states read as ordered by direction, then layer",
      "PyTorch's rows are ordered by layer, then direction: row 2·layer + direction",
      needs: [.twoDirections, .severalLayers]
    ) { $0.takingBlocks($1.readDirectionMajor) },
  ]

  /// Needed where somebody takes the axes B and T for each other: initial states are then those
  /// of a batch of T sequences, and fit only if that is B.
  private static let fittingStates = Requirement(
    "as many sequences as steps, or no initial states"
  ) { $0.layout.batch == $0.layout.steps || $0.h0 == nil }

  private static func initialStates(
    _ name: String, with summary: String, _ advice: String, needs: [Requirement] = [],
    _ change: @escaping @Sendable (Tensor, RecurrentConfiguration) -> Tensor
  ) -> Mistake {
    Mistake(
      name, with: summary, advice, needs: needs + [.sequences, .initialStates]
    ) { replay in
      let own = replay.configuration
      replay.setInput(
        h0: replay.h0.map { change($0, own) }, c0: replay.c0.map { change($0, own) })
    }
  }
}

extension RecurrentConfiguration {
  /// The same module with other arguments, which are known to be ones that its constructor takes.
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
