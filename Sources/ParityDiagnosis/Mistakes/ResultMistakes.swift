import RecurrentModel
import TensorCore

/// Results of a recurrent module that stand in another place.
enum ResultMistakes {
  static let all: [Mistake] = [
    Mistake(
      "final-states-exchanged", with: "h_n and c_n exchanged",
      "an LSTM returns output, (h_n, c_n)", needs: [.lstm, .noProjection, .sequences]
    ) { replay in
      replay.move { outputs, _ in
        RecurrentOutput(output: outputs.output, hN: outputs.cN ?? outputs.hN, cN: outputs.hN)
      }
    },
    Mistake(
      "output-axes-exchanged", with: "the axes B and T of output exchanged",
      "with batch_first=True output is (B, T, D·H), else (T, B, D·H)",
      issue: "pytorch/pytorch#19675", needs: [.batchAxis, .sequences, .severalVectors],
      mixesSequences: true
    ) { replay in
      replay.move(mixingSequences: true) { outputs, _ in
        outputs.with(output: outputs.output.map { $0.axesExchanged })
      }
    },
    Mistake(
      "output-reversed-in-time", with: "output in reverse order of time",
      "output[t] belongs to step t of the input", by: ["Keras' go_backwards=True"],
      needs: [.severalSteps]
    ) { replay in
      replay.move { outputs, contract in
        outputs.movingSteps(contract) { sequence, step in
          let length = contract.length(of: sequence)
          return step < length ? length - 1 - step : step
        }
      }
    },
    Mistake(
      "output-reshaped", with: "output reshaped where it should be transposed",
      "exchange the axes B and T by transpose, not by reshape",
      issue: "NervanaSystems/neon#311", needs: [.batchAxis, severalBoth], mixesSequences: true
    ) { replay in
      replay.move(mixingSequences: true) { outputs, _ in
        outputs.with(output: outputs.output?.reshapedForTransposed(isBack: false))
      }
    },
    states(
      "final-states-reread",
      with: "the final states put into (B, D·L, H), and that read as (D·L, B, H)", isBack: false),
    states(
      "final-states-reshaped", with: "the final states read as (B, D·L, H)", isBack: true),
  ]

  static let severalBoth = Requirement("several sequences and steps") {
    $0.layout.batch > 1 && ($0.packing?.outputSteps ?? $0.layout.steps) > 1
  }

  private static func states(
    _ name: String, with summary: String, isBack: Bool
  ) -> Mistake {
    Mistake(
      name, with: summary, "the final states are (D·L, B, H), also with batch_first=True",
      needs: [
        .batchAxis,
        Requirement("several sequences, and several layers or directions") {
          $0.layout.batch > 1 && $0.configuration.stateRows > 1
        },
      ], mixesSequences: true
    ) { replay in
      replay.move(mixingSequences: true) { outputs, _ in
        outputs.mappingStates { $0.reshapedForTransposed(isBack: isBack) }
      }
    }
  }
}

extension Tensor {
  /// The tensor whose axes are exchanged and whose buffer is then taken for one of its own shape;
  /// or, back, whose buffer is taken for one of exchanged axes, which are then exchanged.
  func reshapedForTransposed(isBack: Bool) -> Tensor {
    let (first, second, features) = (shape.axes[0], shape.axes[1], shape.axes[2])
    let starts = (0..<first * second).map { place in
      isBack
        ? place % second * first + place / second : place % first * second + place / first
    }
    return gathering(blocksOf: features, at: starts.map { $0 * features }, shape: shape)
  }

  /// (B, T, F) as (T, B, F), or the other way round.
  fileprivate var axesExchanged: Tensor {
    let features = shape.axes.last ?? 0
    let (first, second) = (shape.axes[0], shape.axes[1])
    let starts = (0..<first * second).map { ($0 % first * second + $0 / first) * features }
    return gathering(
      blocksOf: features, at: starts, shape: Shape([second, first, features]))
  }
}
