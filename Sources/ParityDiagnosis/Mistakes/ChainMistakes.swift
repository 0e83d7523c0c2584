import RecurrentModel
import TensorCore

/// Mistakes around recurrent modules: in what these hand on, and in the modules beside them.
enum ChainMistakes {
  static let all = handedOn + embeddings + linears + softmaxes

  private static let handedOn: [Mistake] = [
    Mistake(
      "merge-concat", with: "the two directions joined by concat",
      "the case's mode is another (Keras' Bidirectional joins by concat unless it is told)",
      needs: [.twoDirections, .notMerged(by: .concat)]
    ) { replay throws(NotApplicable) in
      try replay.merge(.concat)
    },
    Mistake(
      "merge-reverse-first", with: "the reverse direction put first",
      "the forward direction's half comes first", needs: [.mergedByConcat]
    ) { replay in
      let order = replay.configuration.directionsExchanged
      replay.moveHandedOn { outputs, _ in
        outputs.with(output: outputs.output?.halvesExchanged)
          .mappingStates { $0.takingBlocks(order) }
      }
    },
    Mistake(
      "merge-of-neighbours",
      with: "neighbouring features joined, 0 with 1 and 2 with 3, in the place of the two "
        + "directions",
      "output[..., :H] is the forward direction's and output[..., H:] the reverse's: take them "
        + "apart by view(..., 2, H), not (..., H, 2)",
      needs: [.twoDirections, .mergedInPlace, .severalUnits]
    ) { replay in
      replay.moveHandedOn(takingVectorsApart: true) { outputs, _ in
        outputs.with(output: outputs.output?.halvesOfNeighbours)
      }
    },
    Mistake(
      "last-step-of-both-directions", with: "output[:, -1] taken in place of h_n",
      "the reverse direction's last state stands at step 0: take h_n",
      issue: "pytorch/pytorch#3587", needs: [.handingOnStates, .twoDirections]
    ) { replay in
      replay.moveHandedOn { outputs, contract in
        Direction.allCases.reduce(outputs) {
          $0.takingState(of: $1, contract) { contract, _ in contract.layout.steps - 1 }
        }
      }
    },
    Mistake(
      "first-layer-handed-on", with: "the first layer's final states taken",
      "h_n is ordered by layer, and the last layer's rows are the last",
      needs: [.handingOnStates, .severalLayers]
    ) { replay in
      let order = replay.configuration.layersReversed
      replay.moveHandedOn { outputs, _ in outputs.mappingStates { $0.takingBlocks(order) } }
    },
  ]

  private static let embeddings: [Mistake] = [
    Mistake(
      "padding-row-zeroed", with: "the row of padding_idx taken as zeros",
      "padding_idx keeps gradients from that row; a forward pass uses it as it stands",
      in: .embedding,
      needs: [
        Requirement("an Embedding whose padding row is not 0") { replay in
          guard case .embedding(let weight, let padding?) = replay.layer else { return false }
          return weight.row(padding).contains { weight.double(at: $0) != 0 }
        }
      ]
    ) { replay throws(NotApplicable) in
      guard case .embedding(let weight, let padding?) = replay.layer else { return }
      let row = weight.row(padding)
      let changed = weight.mapping { row.contains($0) ? 0 : $1 }.rounded(to: weight.elementType)
      try replay.setLayer(.embedding(weight: changed, paddingIdx: padding))
    },
    indices("indices-from-one", with: "every index taken as one more: row 1 is the first", 1),
    indices("indices-one-less", with: "every index taken as one less: the row before it", -1),
  ]

  /// - Parameter difference: how much more every index is taken as.
  private static func indices(_ name: String, with summary: String, _ difference: Int) -> Mistake {
    Mistake(
      name, with: summary, "indices count from 0: row 0 is the first", in: .embedding,
      needs: [
        Requirement("an Embedding of several rows") {
          if case .embedding(let weight, _) = $0.layer { weight.shape.axes[0] > 1 } else { false }
        }
      ]
    ) { replay throws(NotApplicable) in
      guard case .embedding(let weight, let padding) = replay.layer else { return }
      let rows = weight.shape.axes[0]
      let changed = weight.selecting(
        (0..<rows).map { ($0 + difference + rows) % rows }, along: 0)
      try replay.setLayer(.embedding(weight: changed, paddingIdx: padding))
    }
  }

  private static let linears: [Mistake] = [
    Mistake(
      "linear-bias-dropped", with: "the bias left out", "PyTorch adds it to every output",
      in: .linear,
      needs: [
        Requirement("a Linear with a bias that is not 0") { replay in
          guard case .linear(_, let bias?) = replay.layer else { return false }
          return (0..<bias.count).contains { bias.double(at: $0) != 0 }
        }
      ]
    ) { replay throws(NotApplicable) in
      guard case .linear(let weight, _) = replay.layer else { return }
      try replay.setLayer(.linear(weight: weight, bias: nil))
    },
    Mistake(
      "linear-transposed", with: "the weight read as its transpose",
      "a Linear's weight is (out_features, in_features)", in: .linear,
      needs: [
        Requirement("a square Linear") { replay in
          guard case .linear(let weight, _) = replay.layer else { return false }
          return weight.shape.axes[0] == weight.shape.axes[1] && weight.count > 1
        }
      ]
    ) { replay throws(NotApplicable) in
      guard case .linear(let weight, let bias) = replay.layer else { return }
      let columns = weight.shape.axes[1]
      let offsets = (0..<weight.count).map { $0 % columns * columns + $0 / columns }
      try replay.setLayer(
        .linear(weight: weight.gathering(offsets, shape: weight.shape), bias: bias))
    },
  ]

  private static let softmaxes: [Mistake] = [
    softmax(
      "softmax-without-logarithm", with: "probabilities in place of their logarithms",
      "LogSoftmax gives logarithms", needs: "a LogSoftmax"
    ) { layer, _ in if case .logSoftmax(let axis) = layer { .softmax(axis: axis) } else { nil } },
    softmax(
      "softmax-with-logarithm", with: "logarithms in place of probabilities",
      "Softmax gives probabilities", needs: "a Softmax"
    ) { layer, _ in if case .softmax(let axis) = layer { .logSoftmax(axis: axis) } else { nil } },
    Mistake(
      "softmax-missing", with: "the softmax left out", "the case's chain has one: see its modules",
      in: .softmax, needs: [.someSoftmax]
    ) { replay throws(NotApplicable) in try replay.setLayer(replay.passingOn) },
    Mistake(
      "softmax-twice", with: "a softmax taken before it too",
      "one is enough: a loss such as CrossEntropyLoss contains one", in: .softmax,
      needs: [.someSoftmax]
    ) { replay throws(NotApplicable) in
      switch replay.layer {
      case .softmax(let axis), .logSoftmax(let axis):
        let own = replay.layer
        try replay.setLayer(.softmax(axis: axis))
        try replay.insertBehind(own)
      default: break
      }
    },
    overAxis("softmax-over-first-axis", "first", 0),
    overAxis("softmax-over-second-axis", "second", 1),
    overAxis("softmax-over-third-axis", "third", 2),
  ]

  private static func overAxis(_ name: String, _ which: String, _ axis: Int) -> Mistake {
    softmax(
      name, with: "the sum taken over the \(which) axis", "the case's dim is another",
      needs: "a softmax over another axis than the \(which)", mixesSequences: true
    ) { layer, rank in
      guard axis < rank else { return nil }
      return switch layer {
      case .softmax(let own) where own != axis: .softmax(axis: axis)
      case .logSoftmax(let own) where own != axis: .logSoftmax(axis: axis)
      default: nil
      }
    }
  }

  /// - Parameter change: what stands in the place of a softmax; nil where the mistake cannot be
  ///   made in it.
  private static func softmax(
    _ name: String, with summary: String, _ advice: String, needs need: String,
    mixesSequences: Bool = false,
    _ change: @escaping @Sendable (ChainModule.Layer, _ rank: Int) -> ChainModule.Layer?
  ) -> Mistake {
    Mistake(
      name, with: summary, advice, in: .softmax,
      needs: [Requirement(need) { change($0.layer, $0.outputRank) != nil }],
      mixesSequences: mixesSequences
    ) { replay throws(NotApplicable) in
      if let changed = change(replay.layer, replay.outputRank) { try replay.setLayer(changed) }
    }
  }
}

extension Requirement {
  fileprivate static let someSoftmax = Requirement("a softmax") {
    switch $0.layer {
    case .softmax, .logSoftmax: $0.outputFeatures > 1
    default: false
    }
  }
  fileprivate static let mergedInPlace = Requirement(
    "a DirectionMerge by sum, ave or mul", isOfChains: true
  ) { replay in
    guard case .directionMerge(let mode)? = replay.nextLayer else { return false }
    return mode != .concat && !replay.handsOnStates
  }
}

extension Tensor {
  /// The even features in the first half of the last axis, and the odd ones in the second.
  fileprivate var halvesOfNeighbours: Tensor {
    let features = shape.axes.last ?? 1
    return gathering(
      (0..<count).map { offset in
        let (row, place) = offset.quotientAndRemainder(dividingBy: features)
        let (half, unit) = place.quotientAndRemainder(dividingBy: max(1, features / 2))
        return row * features + 2 * unit + half
      }, shape: shape)
  }

  /// The offsets of the elements of one row of a matrix.
  fileprivate func row(_ row: Int) -> Range<Int> {
    row * shape.axes[1]..<(row + 1) * shape.axes[1]
  }
}

extension Replay {
  /// A module that hands on what it is given: a Linear with 1 on its diagonal.
  fileprivate var passingOn: ChainModule.Layer {
    let size = outputFeatures
    let identity = (0..<size * size).map { $0 % (size + 1) == 0 ? 1.0 : 0 }
    return .linear(weight: Tensor(identity, shape: [size, size]), bias: nil)
  }

  /// Joins the module's two directions in another way than the case says. Where a
  /// `DirectionMerge` stands behind the module, its mode is changed; else one is put there, since
  /// PyTorch's output has the directions side by side.
  mutating func merge(_ mode: ChainModule.MergeMode) throws(NotApplicable) {
    if case .directionMerge? = nextLayer {
      try setLayer(.directionMerge(mode), behind: 1)
    } else {
      try insertBehind(.directionMerge(mode))
    }
  }
}
