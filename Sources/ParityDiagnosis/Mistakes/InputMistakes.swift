import RecurrentModel
import TensorCore

/// Inputs that are taken for something else.
enum InputMistakes {
  static let all: [Mistake] = [
    Mistake(
      "batch-first-mistaken", with: "batch_first mistaken",
      "with batch_first=True the input is (B, T, I), else (T, B, I)",
      issue: "pytorch/pytorch#19675",
      needs: [.batchAxis, .sequences, .severalVectors, .noPacking, fittingStates],
      mixesSequences: true
    ) { replay throws(NotApplicable) in
      // Whoever starts from zeros makes as many as he takes for sequences.
      if replay.startsFromZeros { replay.setInput(h0: nil, c0: nil) }
      let own = replay.configuration
      try replay.setConfiguration(own.with(batchFirst: !own.batchFirst))
    },
    reshaped(
      "input-reshaped", with: "the input reshaped where it should be transposed", too: false),
    reshaped(
      "input-and-output-reshaped",
      with: "the input reshaped where it should be transposed, and output reshaped back", too: true),
  ]

  /// The buffer of an input with the axes B and T taken as one with these axes exchanged.
  ///
  /// - Parameter too: whether the same is done to `output`.
  private static func reshaped(_ name: String, with summary: String, too: Bool) -> Mistake {
    Mistake(
      name, with: summary, "exchange the axes B and T by transpose, not by reshape",
      issue: "NervanaSystems/neon#311",
      needs: [.batchAxis, ResultMistakes.severalBoth, .noPacking, .firstInChain],
      mixesSequences: true
    ) { replay in
      replay.setInput(
        replay.chain.input.tensor.reshapedForTransposed(isBack: true), h0: replay.h0, c0: replay.c0)
      guard too else { return }
      replay.move(mixingSequences: true) { outputs, _ in
        outputs.with(output: outputs.output?.reshapedForTransposed(isBack: false))
      }
    }
  }

  /// Needed where somebody takes the axes B and T for each other: initial states are then those
  /// of a batch of T sequences, and fit only if that is B, or if they are zeros, which anybody can
  /// make of any batch.
  private static let fittingStates = Requirement(
    "as many sequences as steps, or no initial states"
  ) { $0.layout.batch == $0.layout.steps || $0.h0 == nil || $0.startsFromZeros }
}

extension Replay {
  /// Whether the module is given initial states, and all of them are zeros.
  fileprivate var startsFromZeros: Bool {
    guard let h0 else { return false }
    return [h0, c0].compactMap(\.self).allSatisfy { state in
      state.withElements(as: Double.self) { $0.allSatisfy { $0 == 0 } }
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
