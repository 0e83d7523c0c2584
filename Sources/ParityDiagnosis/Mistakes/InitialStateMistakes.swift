import RecurrentModel
import TensorCore

/// Initial states that are not used, or taken for others.
enum InitialStateMistakes {
  static let all: [Mistake] =
    [
      initialStates(
        "initial-states-ignored", with: "the initial states ignored",
        "a call starts from the h_0 and c_0 that it is given, in a stream those of the chunk before"
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
    ] + alone + ofDirections + ofOthers + reread

  /// One of the two states alone.
  private static let alone: [Mistake] = [
    pair(
      "h-0-ignored", with: "h_0 ignored, and c_0 used", "an LSTM starts from both h_0 and c_0"
    ) { h, c in (h.zeros.rounded(to: h.elementType), c) },
    pair(
      "c-0-ignored", with: "c_0 ignored, and h_0 used", "an LSTM starts from both h_0 and c_0"
    ) { h, c in (h, c.zeros.rounded(to: c.elementType)) },
    pair(
      "h-0-for-both", with: "h_0 in the place of c_0 too",
      "an LSTM takes the pair (h_0, c_0), in this order", needs: [.noProjection]
    ) { h, _ in (h, h) },
    pair(
      "c-0-for-both", with: "c_0 in the place of h_0 too",
      "an LSTM takes the pair (h_0, c_0), in this order", needs: [.noProjection]
    ) { _, c in (c, c) },
  ]

  /// States of one direction that the other has, or that are not used.
  private static let ofDirections: [Mistake] = Direction.allCases.flatMap { direction in
    let other = direction == .forward ? "reverse" : "forward"
    return [
      initialStates(
        "initial-states-\(direction)-ignored",
        with: "the \(direction) direction's initial states ignored",
        "h_0[2·layer] is the forward direction's and h_0[2·layer + 1] the reverse's",
        needs: [.twoDirections]
      ) { state, own in
        let size = state.count / max(1, own.stateRows)
        return state.mapping { $0 / size % 2 == direction.rawValue ? 0 : $1 }
          .rounded(to: state.elementType)
      },
      initialStates(
        "initial-states-\(direction)-for-both",
        with: "the \(direction) direction's initial states in both directions",
        "the \(other) direction has rows of its own: h_0[2·layer + \(1 - direction.rawValue)]",
        needs: [.twoDirections]
      ) { state, own in
        state.takingBlocks((0..<own.stateRows).map { $0 / 2 * 2 + direction.rawValue })
      },
    ]
  }

  /// One sequence's or one layer's states for all.
  private static let ofOthers: [Mistake] = [
    initialStates(
      "initial-states-first-sequence-for-all",
      with: "the first sequence's initial states for all of the batch",
      "h_0 is (D·L, B, H): each sequence has states of its own", needs: [severalSequences],
      mixesSequences: true
    ) { state, own in
      let batch = state.shape.axes[state.shape.rank - 2]
      return state.selecting(Array(repeating: 0, count: batch), along: state.shape.rank - 2)
    },
    initialStates(
      "initial-states-first-layer-for-all",
      with: "the first layer's initial states in every layer",
      "h_0 is (D·L, B, H): each layer has rows of its own", needs: [.severalLayers]
    ) { state, own in
      state.takingBlocks((0..<own.stateRows).map { $0 % own.directions.count })
    },
  ]

  /// The rows and the batch taken for each other.
  private static let reread: [Mistake] = [
    reshaped(
      "initial-states-reread", with: "the initial states read as (B, D·L, H)", isBack: true),
    reshaped(
      "initial-states-reshaped",
      with: "the initial states put into (B, D·L, H), and that read as (D·L, B, H)",
      isBack: false),
  ]

  private static func reshaped(
    _ name: String, with summary: String, isBack: Bool
  ) -> Mistake {
    initialStates(
      name, with: summary, "h_0 is (D·L, B, H), also with batch_first=True",
      needs: [severalSequences, severalRows], mixesSequences: true
    ) { state, _ in state.reshapedForTransposed(isBack: isBack) }
  }

  static let severalSequences = Requirement("several sequences") {
    $0.layout.batch > 1 && $0.layout.isBatched
  }
  private static let severalRows = Requirement("several layers or directions") {
    $0.configuration.stateRows > 1 && !$0.configuration.module.isCell
  }

  private static func pair(
    _ name: String, with summary: String, _ advice: String, needs: [Requirement] = [],
    _ change: @escaping @Sendable (_ h: Tensor, _ c: Tensor) -> (Tensor, Tensor)
  ) -> Mistake {
    Mistake(
      name, with: summary, advice, needs: [.lstm, .sequences, .initialStates] + needs
    ) { replay in
      guard let h = replay.h0, let c = replay.c0 else { return }
      let (h0, c0) = change(h, c)
      replay.setInput(h0: h0, c0: c0)
    }
  }

  private static func initialStates(
    _ name: String, with summary: String, _ advice: String, needs: [Requirement] = [],
    mixesSequences: Bool = false,
    _ change: @escaping @Sendable (Tensor, RecurrentConfiguration) -> Tensor
  ) -> Mistake {
    Mistake(
      name, with: summary, advice, needs: [.sequences, .initialStates] + needs,
      mixesSequences: mixesSequences
    ) { replay in
      let own = replay.configuration
      replay.setInput(
        h0: replay.h0.map { change($0, own) }, c0: replay.c0.map { change($0, own) })
    }
  }
}
