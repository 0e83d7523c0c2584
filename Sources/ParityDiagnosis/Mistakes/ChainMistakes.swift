import RecurrentModel
import TensorCore

/// What is got wrong around recurrent modules.
enum ChainMistakes {
  static let all = handedOn + embeddings + linears + softmaxes

  private static let handedOn: [Mistake] = [
    Mistake(
      "merge-concat", with: "the two directions joined by concat",
      "the case's mode is another (Keras' Bidirectional joins by concat unless it is told)",
      neededInChains: "a DirectionMerge"
    ) { replay throws(NotApplicable) in
      try replay.merge(.concat)
    },
    Mistake(
      "merge-reverse-first", with: "the reverse direction put first",
      "the forward direction's half comes first", neededInChains: "a DirectionMerge by concat"
    ) { replay throws(NotApplicable) in
      guard case .directionMerge(.concat)? = replay.nextLayer else {
        throw NotApplicable("nothing is joined by concat", needs: "a DirectionMerge by concat")
      }
      let order = replay.configuration.directionsExchanged
      replay.moveHandedOn { outputs, _ in
        outputs.with(output: outputs.output?.halvesExchanged)
          .mappingStates { $0.takingBlocks(order) }
      }
    },
    Mistake(
      "last-step-of-both-directions", with: "output[:, -1] taken in place of h_n",
      "the reverse direction's last state stands at step 0: take h_n",
      evidence: "pytorch/pytorch#3587", neededInChains: "a module that hands on its h_n"
    ) { replay throws(NotApplicable) in
      try replay.requireHandingOnStates()
      try replay.requireTwoDirections()
      replay.moveHandedOn { outputs, contract in
        Direction.allCases.reduce(outputs) {
          $0.takingState(of: $1, contract) { contract, _ in contract.layout.steps - 1 }
        }
      }
    },
    Mistake(
      "first-layer-handed-on", with: "the first layer's final states taken",
      "h_n is ordered by layer, and the last layer's rows are the last",
      neededInChains: "several layers and a module that hands on its h_n"
    ) { replay throws(NotApplicable) in
      try replay.requireHandingOnStates()
      try replay.requireLayers()
      let order = replay.configuration.layersReversed
      replay.moveHandedOn { outputs, _ in outputs.mappingStates { $0.takingBlocks(order) } }
    },
  ]

  private static let embeddings: [Mistake] = [
    Mistake(
      "padding-row-zeroed", with: "the row of padding_idx taken as zeros",
      "padding_idx keeps gradients from that row; a forward pass uses it as it stands",
      in: .embedding, neededInChains: "an Embedding whose padding row is not 0"
    ) { replay throws(NotApplicable) in
      let missing = NotApplicable(
        "no padding row is other than 0", needs: "an Embedding whose padding row is not 0")
      guard case .embedding(let weight, let padding?) = replay.layer else { throw missing }
      let size = weight.shape.axes[1]
      let row = padding * size..<(padding + 1) * size
      guard row.contains(where: { weight.double(at: $0) != 0 }) else { throw missing }
      try replay.setLayer(
        .embedding(
          weight: weight.mapping { row.contains($0) ? 0 : $1 }.rounded(to: weight.elementType),
          paddingIdx: padding))
    },
    Mistake(
      "indices-from-one", with: "every index taken as one more",
      "indices count from 0: row 0 is the first", in: .embedding,
      neededInChains: "an Embedding of several rows"
    ) { replay throws(NotApplicable) in
      guard case .embedding(let weight, let padding) = replay.layer, weight.shape.axes[0] > 1
      else {
        throw NotApplicable("there is one row", needs: "an Embedding of several rows")
      }
      let rows = weight.shape.axes[0]
      try replay.setLayer(
        .embedding(
          weight: weight.selecting((0..<rows).map { ($0 + 1) % rows }, along: 0),
          paddingIdx: padding))
    },
  ]

  private static let linears: [Mistake] = [
    Mistake(
      "linear-bias-dropped", with: "the bias left out", "PyTorch adds it to every output",
      in: .linear, neededInChains: "a Linear with a bias that is not 0"
    ) { replay throws(NotApplicable) in
      guard case .linear(let weight, let bias?) = replay.layer,
        (0..<bias.count).contains(where: { bias.double(at: $0) != 0 })
      else {
        throw NotApplicable("no bias is other than 0", needs: "a Linear with a bias that is not 0")
      }
      try replay.setLayer(.linear(weight: weight, bias: nil))
    },
    Mistake(
      "linear-transposed", with: "the weight read as its transpose",
      "a Linear's weight is (out_features, in_features)", in: .linear,
      neededInChains: "a square Linear"
    ) { replay throws(NotApplicable) in
      guard case .linear(let weight, let bias) = replay.layer,
        weight.shape.axes[0] == weight.shape.axes[1], weight.shape.axes[0] > 1
      else { throw NotApplicable("the weight is not square", needs: "a square Linear") }
      let columns = weight.shape.axes[1]
      let offsets = (0..<weight.count).map { $0 % columns * columns + $0 / columns }
      try replay.setLayer(
        .linear(weight: weight.gathering(offsets, shape: weight.shape), bias: bias))
    },
  ]

  private static let softmaxes: [Mistake] = [
    Mistake(
      "softmax-without-logarithm", with: "probabilities in place of their logarithms",
      "LogSoftmax gives logarithms", in: .softmax, neededInChains: "a LogSoftmax"
    ) { replay throws(NotApplicable) in
      guard case .logSoftmax(let axis) = replay.layer else {
        throw NotApplicable("it gives no logarithms", needs: "a LogSoftmax")
      }
      try replay.setLayer(.softmax(axis: axis))
    },
    Mistake(
      "softmax-with-logarithm", with: "logarithms in place of probabilities",
      "Softmax gives probabilities", in: .softmax, neededInChains: "a Softmax"
    ) { replay throws(NotApplicable) in
      guard case .softmax(let axis) = replay.layer else {
        throw NotApplicable("it gives logarithms", needs: "a Softmax")
      }
      try replay.setLayer(.logSoftmax(axis: axis))
    },
    Mistake(
      "softmax-over-first-axis", with: "the sum taken over the first axis",
      "the case's dim is another", in: .softmax,
      neededInChains: "a softmax over another axis than the first", mixesSequences: true
    ) { replay throws(NotApplicable) in
      switch replay.layer {
      case .softmax(let axis) where axis != 0: try replay.setLayer(.softmax(axis: 0))
      case .logSoftmax(let axis) where axis != 0: try replay.setLayer(.logSoftmax(axis: 0))
      default:
        throw NotApplicable(
          "its axis is the first", needs: "a softmax over another axis than the first")
      }
    },
  ]
}

extension Replay {
  /// The module's two directions joined in another way than the case says: PyTorch's output
  /// holds them side by side, and a `DirectionMerge` behind it has a mode of its own.
  mutating func merge(_ mode: ChainModule.MergeMode) throws(NotApplicable) {
    try requireTwoDirections()
    if case .directionMerge(let own)? = nextLayer {
      try require(own != mode, "that is the case's mode", needs: "a DirectionMerge of another mode")
      return try setLayer(.directionMerge(mode), behind: 1)
    }
    try require(
      mode != .concat, "PyTorch joins the directions so", needs: "a DirectionMerge")
    try require(
      !configuration.module.isCell && !handsOnStates, "output is not handed on",
      needs: "a module that hands on its output")
    try insertBehind(.directionMerge(mode))
  }

  private var handsOnStates: Bool {
    if case .recurrent(_, _, .hN) = layer { true } else { false }
  }

  fileprivate func requireHandingOnStates() throws(NotApplicable) {
    try require(
      handsOnStates, "h_n is not handed on", needs: "a module that hands on its h_n")
  }
}
