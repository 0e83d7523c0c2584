import RecurrentModel
import TensorCore

extension RecurrentOutput {
  /// Both states changed alike.
  func mappingStates(_ change: (Tensor) -> Tensor) -> RecurrentOutput {
    RecurrentOutput(output: output, hN: change(hN), cN: cN.map(change))
  }
}

extension Tensor {
  /// A state's rows, of layers and directions, in another order: row k is row `order[k]`.
  func takingRows(_ order: [Int]) -> Tensor { takingBlocks(order) }

  /// The vectors of a tensor of sequences, each taken from a place.
  ///
  /// - Parameters:
  ///   - filler: what stands where there is no source.
  ///   - source: nil for none.
  func vectors(
    _ layout: SequenceLayout, to target: SequenceLayout, filler: Double = 0,
    _ source: (_ sequence: Int, _ step: Int) -> (sequence: Int, step: Int)?
  ) -> Tensor {
    let features = shape.axes.last ?? 0
    let given: [Double] = elements()
    var moved = [Double](repeating: filler, count: target.batch * target.steps * features)
    for sequence in 0..<target.batch {
      for step in 0..<target.steps {
        guard let from = source(sequence, step) else { continue }
        let start = layout.row(sequence: from.sequence, step: from.step) * features
        let place = target.row(sequence: sequence, step: step) * features
        for unit in 0..<features { moved[place + unit] = given[start + unit] }
      }
    }
    return Tensor(moved, shape: Shape(target.axes(features: features)))
  }

  /// The sequences of a state in another order.
  func takingSequences(_ order: [Int], rows: Int) -> Tensor {
    let size = shape.axes.last ?? 0
    let starts = (0..<rows).flatMap { row in order.map { (row * order.count + $0) * size } }
    return gathering(blocksOf: size, at: starts, shape: shape)
  }
}

/// How a step's forward and reverse halves become one vector of P, by Keras' names of
/// `Bidirectional`'s merge modes.
package enum DirectionMerge: String, Sendable, CaseIterable {
  case sum
  case ave
  case mul

  func merged(_ outputs: RecurrentOutput) -> RecurrentOutput {
    outputs.with(output: outputs.output.map { merge($0) { combine($0, $1) } })
  }

  /// The σ of what is merged, of the σ of the halves.
  func merged(sigma: RecurrentOutput, of values: RecurrentOutput) -> RecurrentOutput {
    guard let output = values.output else { return sigma }
    let own: [Double] = output.elements()
    let half = (output.shape.axes.last ?? 0) / 2
    return sigma.with(
      output: sigma.output.map { tensor in
        let weighted =
          self == .mul
          ? tensor.mapping { offset, sigma in
            let isForward = offset / max(half, 1) % 2 == 0
            return sigma * abs(own[isForward ? offset + half : offset - half])
          } : tensor
        return merge(weighted) { a, b in
          let both = (a * a + b * b).squareRoot()
          return self == .ave ? both / 2 : both
        }
      })
  }

  private func combine(_ a: Double, _ b: Double) -> Double {
    switch self {
    case .sum: a + b
    case .ave: (a + b) / 2
    case .mul: a * b
    }
  }

  private func merge(_ tensor: Tensor, _ combine: (Double, Double) -> Double) -> Tensor {
    let given: [Double] = tensor.elements()
    let half = (tensor.shape.axes.last ?? 0) / 2
    let merged = (0..<given.count / 2).map { offset in
      let (row, unit) = offset.quotientAndRemainder(dividingBy: max(half, 1))
      return combine(given[2 * row * half + unit], given[(2 * row + 1) * half + unit])
    }
    return Tensor(merged, shape: Shape(tensor.shape.axes.dropLast() + [half]))
  }
}
