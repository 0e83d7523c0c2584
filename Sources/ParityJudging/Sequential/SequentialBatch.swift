package import RecurrentModel
package import TensorCore

/// Where the sequences of a chain's batch stand in its tensors.
package struct SequentialBatch {
  package let size: Int
  private let inputAxis: Int
  /// By the names of `SequentialOutput`.
  private let axes: [String: Int]

  /// - Returns: nil where there is no batch, or where its sequences are mixed on the way.
  package init?(_ sequential: Sequential, _ input: Shape) {
    guard let batchFirst = sequential.batchFirst, input.rank > (batchFirst ? 0 : 1) else {
      return nil
    }
    let inputAxis = batchFirst ? 0 : 1
    var larger = input.axes
    larger[inputAxis] += 1
    // The batch is what is larger in every output when it is larger in the input.
    guard let shapes = try? sequential.outputShapes(for: input),
      let others = try? sequential.outputShapes(for: Shape(larger))
    else { return nil }
    var axes: [String: Int] = [:]
    for (name, shape) in shapes {
      guard let other = others[name], other.rank == shape.rank,
        let axis = shape.axes.indices.first(where: { shape.axes[$0] != other.axes[$0] })
      else { return nil }
      axes[name] = axis
    }
    for module in sequential.modules {
      guard case .softmax(_, let axis) = module.layer else { continue }
      let name = module.name + ".output"
      if axes[name] == (axis < 0 ? axis + (shapes[name]?.rank ?? 0) : axis) { return nil }
    }
    size = input.axes[inputAxis]
    self.inputAxis = inputAxis
    self.axes = axes
  }

  func input(_ tensor: Tensor, of sequences: [Int]) -> Tensor {
    sliced(tensor, inputAxis, sequences)
  }

  /// - Parameter name: of an output.
  func output(_ name: String, _ tensor: Tensor, of sequences: [Int]) -> Tensor {
    axes[name].map { sliced(tensor, $0, sequences) } ?? tensor
  }

  /// Σ|actual − expected| of each sequence; what is not finite on one side only counts as 1.
  func differences(_ name: String, _ actual: Tensor, _ expected: Tensor) -> [Double] {
    var totals = [Double](repeating: 0, count: size)
    guard let axis = axes[name] else { return totals }
    let inner = actual.shape.axes[(axis + 1)...].reduce(1, *)
    for offset in 0..<actual.count {
      let (own, right) = (actual.double(at: offset), expected.double(at: offset))
      let difference = abs(own - right)
      let isSame = own == right || own.isNaN && right.isNaN
      totals[offset / inner % size] += difference.isFinite ? difference : isSame ? 0 : 1
    }
    return totals
  }

  private func sliced(_ tensor: Tensor, _ axis: Int, _ sequences: [Int]) -> Tensor {
    var axes = tensor.shape.axes
    let (outer, inner) = (axes[..<axis].reduce(1, *), axes[(axis + 1)...].reduce(1, *))
    let starts = (0..<outer).flatMap { block in
      sequences.map { (block * axes[axis] + $0) * inner }
    }
    axes[axis] = sequences.count
    return tensor.gathering(blocksOf: inner, at: starts, shape: Shape(axes))
  }
}

extension Sequential {
  /// Of its first recurrent module; nil where there is none.
  fileprivate var batchFirst: Bool? {
    modules.lazy.compactMap { module -> Bool? in
      guard case .recurrent(let configuration, _, _) = module.layer else { return nil }
      return configuration.batchFirst
    }.first
  }

  /// The multiplications of a forward pass, and what weighs as much.
  package func work(for input: Shape) -> Double {
    guard let shapes = try? outputShapes(for: input) else { return 0 }
    return modules.reduce(0) { sum, module in
      let shape = shapes[module.name + ".output"] ?? Shape([])
      let rows = Double(shape.elementCount / Swift.max(1, shape.axes.last ?? 1))
      let overhead = 1e4
      switch module.layer {
      case .recurrent(let configuration, _, _):
        let weights = configuration.parameters.filter { $0.shape.rank == 2 }
          .reduce(0) { $0 + $1.shape.elementCount }
        return sum + overhead + rows * Double(weights)
      case .linear(let weight, _):
        return sum + overhead + rows * Double(weight.count)
      case .embedding, .directionMerge, .softmax:
        return sum + overhead + 30 * Double(shape.elementCount)
      }
    }
  }
}
