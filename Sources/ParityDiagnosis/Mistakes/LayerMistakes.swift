import RecurrentModel
import RoundingNoise
import TensorCore

/// Layers in another order, or not all of them.
enum LayerMistakes {
  static let ofParameters: [Mistake] = [
    Mistake(
      "later-layers-zero", with: "only the first layer's parameters loaded, the others zeros",
      "load the parameters of every layer: weight_ih_l1, weight_hh_l1 and so on",
      evidence: "jatinchowdhury18/RTNeural#148"
    ) { replay throws(NotApplicable) in
      try replay.requireLayers()
      let current = replay
      replay.changeParameters { $0.layer > 0 ? current.tensor($0).zeros : nil }
    },
    Mistake(
      "layers-reversed", with: "the parameters of the layers in reverse order",
      "layer k's parameters end in _lk, and layer 0 reads the input"
    ) { replay throws(NotApplicable) in
      try replay.requireLayers()
      let current = replay
      let first = try replay.firstAlike()
      replay.changeParameters { parameter in
        parameter.layer < first
          ? nil
          : current.tensor(
            like: parameter, layer: current.configuration.numLayers - 1 - parameter.layer + first)
      }
    },
    Mistake(
      "later-layers-share-parameters", with: "one layer's parameters in all that have its shapes",
      "each layer has parameters of its own: weight_ih_l1, weight_ih_l2 and so on"
    ) { replay throws(NotApplicable) in
      try replay.requireLayers()
      let current = replay
      let first = try replay.firstAlike()
      replay.changeParameters { parameter in
        parameter.layer < first ? nil : current.tensor(like: parameter, layer: first)
      }
    },
  ]

  static let ofResults: [Mistake] = [
    Mistake(
      "output-of-first-layer", with: "the first layer's output", "output is the last layer's"
    ) { replay throws(NotApplicable) in
      try replay.requireLayers()
      try replay.requireSequences()
      replay.scan.returnsFirstLayer = true
    },
    states("final-states-layers-reversed", "the layers of the final states in reverse order") {
      $0.layersReversed
    },
    Mistake(
      "final-states-direction-major", with: "the final states ordered by direction, then layer",
      "PyTorch's rows are ordered by layer, then direction: row 2·layer + direction"
    ) { replay throws(NotApplicable) in
      try replay.requireTwoDirections()
      try replay.requireLayers()
      let order = replay.configuration.directionMajor
      replay.move { outputs, _ in outputs.mappingStates { $0.takingBlocks(order) } }
    },
  ]

  private static func states(
    _ name: String, _ summary: String,
    _ order: @escaping @Sendable (RecurrentConfiguration) -> [Int]
  ) -> Mistake {
    Mistake(name, with: summary, "PyTorch's first row is the first layer's") {
      replay throws(NotApplicable) in
      try replay.requireLayers()
      let order = order(replay.configuration)
      replay.move { outputs, _ in outputs.mappingStates { $0.takingBlocks(order) } }
    }
  }
}

extension Replay {
  /// The first of at least two layers that could take each other's parameters.
  fileprivate func firstAlike() throws(NotApplicable) -> Int {
    if areAlike(0..<configuration.numLayers) { return 0 }
    try require(
      configuration.numLayers > 2, "the two layers' weight_ih have different shapes",
      needs: "three layers, or input_size equal to what a layer gives")
    return 1
  }
}
