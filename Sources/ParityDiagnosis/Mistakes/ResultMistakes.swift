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
  ]
}

extension Tensor {
  /// (B, T, F) as (T, B, F), or the other way round.
  fileprivate var axesExchanged: Tensor {
    let features = shape.axes.last ?? 0
    let (first, second) = (shape.axes[0], shape.axes[1])
    let starts = (0..<first * second).map { ($0 % first * second + $0 / first) * features }
    return gathering(
      blocksOf: features, at: starts, shape: Shape([second, first, features]))
  }
}
