import ParityJudging
import RecurrentModel
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
      replay.move { outputs, replay, quantity in
        outputs.with(output: replay.firstLayer.run(quantity).output)
      }
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
      replay.move { $0.mappingStates { $0.takingRows(order) } }
    },
  ]

  private static func states(
    _ name: String, _ deed: String, _ order: @escaping @Sendable (RecurrentConfiguration) -> [Int]
  ) -> Mistake {
    Mistake(name, with: deed, "PyTorch's first row is the first layer's") {
      replay throws(NotApplicable) in
      try replay.requireLayers()
      let order = order(replay.configuration)
      replay.move { $0.mappingStates { $0.takingRows(order) } }
    }
  }
}

extension RecurrentConfiguration {
  /// The rows of a state with the last layer's first.
  var layersReversed: [Int] {
    let count = directions.count
    return (0..<stateRows).map { row in (numLayers - 1 - row / count) * count + row % count }
  }

  /// The rows of a state, all of the forward direction's first.
  var directionMajor: [Int] {
    (0..<stateRows).map { row in row % numLayers * directions.count + row / numLayers }
  }

  /// The rows of a state as somebody finds them who thinks that they are direction-major.
  var readDirectionMajor: [Int] {
    (0..<stateRows).map { row in row % directions.count * numLayers + row / directions.count }
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

  /// The module of the first layer alone.
  fileprivate var firstLayer: Replay {
    let rows = configuration.directions.count
    guard
      let alone = try? RecurrentConfiguration(
        module: configuration.module, inputSize: configuration.inputSize,
        hiddenSize: configuration.hiddenSize, bias: configuration.bias,
        batchFirst: configuration.batchFirst, bidirectional: configuration.bidirectional,
        projSize: configuration.projSize, nonlinearity: configuration.nonlinearity),
      let stateDict = try? StateDict(
        call.stateDict.tensors.filter { name, _ in
          alone.parameters.contains { $0.name == name }
        }, checkedAgainst: alone)
    else { preconditionFailure("the first layer is a module of its own") }
    func first(_ state: Tensor?) -> Tensor? {
      state.map { state in
        let size = state.count / configuration.numLayers
        return state.gathering(
          blocksOf: size, at: [0], shape: Shape([rows] + state.shape.axes.dropFirst()))
      }
    }
    guard
      let input = try? RecurrentInput(
        input: input.input, h0: first(input.h0), c0: first(input.c0), packing: input.packing,
        for: alone)
    else { preconditionFailure("the first layer takes the module's input") }
    var replay = Replay(RecurrentCall(alone, stateDict, input, in: call.arithmetic))
    replay.variant = variant
    return replay
  }
}
