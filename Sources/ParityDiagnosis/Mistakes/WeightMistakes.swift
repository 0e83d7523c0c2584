import RecurrentModel
import TensorCore

/// Matrices the wrong way round.
enum WeightMistakes {
  static let all: [Mistake] = [
    Mistake(
      "weight-hh-transposed", with: "each gate's block of weight_hh transposed",
      "PyTorch multiplies weight_hh with h from the left: row k of a block makes unit k",
      by: ["implementations that multiply h @ W, as Keras'"]
    ) { replay throws(NotApplicable) in
      try replay.requireSquareHidden()
      try replay.requireHiddenStates()
      replay.transposeBlocks { $0.role == .weightHH }
    },
    Mistake(
      "weights-transposed", with: "each gate's block of weight_ih and weight_hh transposed",
      "PyTorch multiplies weight_ih with x, and weight_hh with h, from the left",
      by: ["implementations that multiply x @ W, as Keras'"]
    ) { replay throws(NotApplicable) in
      try replay.requireSquareHidden()
      let (configuration, hidden) = (replay.configuration, replay.configuration.hiddenSize)
      try replay.require(
        (0..<configuration.numLayers).contains { configuration.inputSize(ofLayer: $0) == hidden },
        "no gate's block of weight_ih is square",
        needs: "input_size equal to hidden_size")
      replay.transposeBlocks { parameter in
        parameter.role == .weightHH
          || parameter.role == .weightIH && parameter.shape.axes[1] == hidden
      }
    },
    Mistake(
      "weights-reread", with: "weight_ih and weight_hh read as if their axes were exchanged",
      "transpose the array, not its shape: numpy's .T and not .reshape"
    ) { replay throws(NotApplicable) in
      let current = replay
      let parameters = replay.configuration.parameters.filter {
        $0.role == .weightIH || $0.role == .weightHH
      }
      try replay.require(
        parameters.contains { !$0.shape.axes.contains(1) }, "all weights are vectors",
        needs: "input_size and hidden_size above 1")
      replay.changeParameters { parameter in
        guard parameter.role == .weightIH || parameter.role == .weightHH else { return nil }
        let (rows, columns) = (parameter.shape.axes[0], parameter.shape.axes[1])
        let offsets = (0..<rows * columns).map { $0 % columns * rows + $0 / columns }
        return current.tensor(parameter).gathering(offsets, shape: parameter.shape)
      }
    },
  ]
}

extension Replay {
  fileprivate func requireSquareHidden() throws(NotApplicable) {
    try require(
      configuration.projSize == 0, "a projection makes weight_hh's blocks other than square",
      needs: "no projection")
    try require(
      configuration.hiddenSize > 1, "a block of weight_hh is one number",
      needs: "hidden_size above 1")
  }

  /// Of matrices whose blocks are square.
  fileprivate mutating func transposeBlocks(of isChanged: (ParameterSpecification) -> Bool) {
    let current = self
    changeParameters { parameter in
      guard isChanged(parameter) else { return nil }
      let size = parameter.shape.axes[1]
      let offsets = (0..<parameter.shape.elementCount).map { offset in
        let (block, within) = offset.quotientAndRemainder(dividingBy: size * size)
        return block * size * size + within % size * size + within / size
      }
      return current.tensor(parameter).gathering(offsets, shape: parameter.shape)
    }
  }
}
