import RecurrentModel
import TensorCore

/// Moves of vectors to other places. They leave the last axis as it is, whatever it holds, as
/// `ResultMove.apply` wants it.
extension RecurrentOutput {
  /// The same change made in both final states.
  func mappingStates(_ change: (Tensor) -> Tensor) -> RecurrentOutput {
    RecurrentOutput(output: output, hN: change(hN), cN: cN.map(change))
  }

  /// The results with the last layer's row of h_n, for one direction, taken out of `output`.
  ///
  /// - Parameter step: the step at which the state of a sequence is taken.
  func takingState(
    of direction: Direction, _ contract: LayoutContract, at step: (LayoutContract, Int) -> Int
  ) -> RecurrentOutput {
    guard let output else { return self }
    let layout = contract.layout
    let features = output.shape.axes.last ?? 0
    let size = features / contract.directions
    let rows = contract.directions * contract.layers
    let last = contract.directions * (contract.layers - 1) + direction.rawValue
    // The two tensors are put one behind the other, so that one gathering takes from either.
    let offsets = (0..<rows * layout.batch).flatMap { vector -> Range<Int> in
      let (row, sequence) = vector.quotientAndRemainder(dividingBy: layout.batch)
      let start =
        row == last
        ? layout.row(sequence: sequence, step: step(contract, sequence)) * features
          + direction.rawValue * size
        : output.count + vector * size
      return start..<start + size
    }
    let taken = output.appending(hN).gathering(offsets, shape: hN.shape)
    return RecurrentOutput(output: output, hN: taken, cN: cN)
  }

  /// The results with each step's vectors of `output` taken from another step of its sequence.
  func movingSteps(
    _ contract: LayoutContract, from source: (_ sequence: Int, _ step: Int) -> Int
  ) -> RecurrentOutput {
    guard let output else { return self }
    let features = output.shape.axes.last ?? 0
    let rows = features == 0 ? 0 : output.count / features
    let starts = (0..<rows).map { row in
      let (sequence, step) = contract.layout.position(ofRow: row)
      return contract.layout.row(sequence: sequence, step: source(sequence, step)) * features
    }
    return with(output: output.gathering(blocksOf: features, at: starts, shape: output.shape))
  }

  /// The results with the sequences of the batch in another order.
  ///
  /// - Parameter isWhole: whether `output` is put in that order too, or the final states alone.
  func takingSequences(
    _ order: [Int], _ contract: LayoutContract, isWhole: Bool
  ) -> RecurrentOutput {
    let moved = selecting(sequences: order, contract.layout)
    return isWhole ? moved : moved.with(output: output)
  }
}

extension RecurrentConfiguration {
  /// The rows of a state with the layers in reverse order.
  var layersReversed: [Int] {
    let count = directions.count
    return (0..<stateRows).map { row in (numLayers - 1 - row / count) * count + row % count }
  }

  /// The rows of a state ordered by direction, then layer.
  var directionMajor: [Int] {
    (0..<stateRows).map { row in row % numLayers * directions.count + row / numLayers }
  }

  /// The rows of a state in the order in which somebody reads them who thinks that they are
  /// ordered by direction, then layer.
  var readDirectionMajor: [Int] {
    (0..<stateRows).map { row in row % directions.count * numLayers + row / directions.count }
  }
}
