import RealModule
package import TensorCore

extension Sequential {
  /// The forward pass: what stands around the recurrent modules in `type`, every sum in the
  /// order of its terms.
  ///
  /// - Parameters:
  ///   - input: fits the first module; indices within an embedding's rows.
  ///   - type: float32 or float64.
  ///   - arithmetic: what the modules compute in.
  ///   - recurrent: the outputs of a recurrent module.
  /// - Throws: `InvalidValue`, naming a module, where the input does not fit; and what
  ///   `recurrent` throws.
  package func outputs(
    for input: Tensor, in type: ElementType, _ arithmetic: Arithmetic,
    recurrent: (RecurrentCall) throws -> RecurrentOutput
  ) throws -> SequentialOutput {
    type == .float64
      ? try outputs(for: input, Double.self, arithmetic, recurrent)
      : try outputs(for: input, Float.self, arithmetic, recurrent)
  }

  private func outputs<Scalar: Real & FloatingElement>(
    for input: Tensor, _: Scalar.Type, _ arithmetic: Arithmetic,
    _ recurrent: (RecurrentCall) throws -> RecurrentOutput
  ) throws -> SequentialOutput {
    var (value, shape) = (input, SequentialShape(input.shape.axes))
    var intermediates: [(name: String, tensor: Tensor)] = []
    for module in modules {
      func keep(_ name: String, _ tensor: Tensor) {
        intermediates.append((module.name + "." + name, tensor))
      }
      let next = try module.shape(for: shape)
      if case .recurrent(let configuration, let stateDict, let select) = module.layer {
        let input = try RecurrentInput(
          input: Tensor(value.elements(as: Scalar.self), shape: value.shape), for: configuration)
        let outputs = try recurrent(
          RecurrentCall(configuration, stateDict, input, in: arithmetic))
        for (name, tensor) in outputs.named { keep(name, tensor) }
        value = outputs.selected(select, input.layout, Shape(next.axes))
      } else {
        let layer = SequentialLayer<Scalar>(input: shape, output: Shape(next.axes))
        value = layer.result(module.layer, value)
        keep("output", value)
      }
      shape = next
    }
    return SequentialOutput(intermediates: intermediates, output: value)
  }
}

extension RecurrentOutput {
  /// What is handed on, of this shape.
  fileprivate func selected(
    _ select: SequentialModule.Selection, _ layout: SequenceLayout, _ shape: Shape
  ) -> Tensor {
    guard let output else { preconditionFailure("a chain has no cells") }
    let count = shape.elementCount
    switch select {
    case .output:
      return output
    case .hN:
      return hN.gathering(blocksOf: count, at: [hN.count - count], shape: shape)
    case .firstLayer:
      return hN.gathering(blocksOf: count, at: [0], shape: shape)
    case .lastStep:
      let size = shape.axes.last ?? 0
      let features = output.shape.axes.last ?? 0
      let starts = (0..<shape.axes[0]).flatMap { direction in
        (0..<layout.batch).map { sequence in
          layout.row(sequence: sequence, step: layout.steps - 1) * features + direction * size
        }
      }
      return output.gathering(blocksOf: size, at: starts, shape: shape)
    }
  }
}

/// A module that is not recurrent.
private struct SequentialLayer<Scalar: Real & FloatingElement> {
  let input: SequentialShape
  let output: Shape

  func result(_ layer: SequentialModule.Layer, _ value: Tensor) -> Tensor {
    switch layer {
    case .embedding(let weight, _):
      let size = weight.shape.axes[1]
      let rows = (value.integers ?? []).map { Int($0) * size }
      let table = Tensor(weight.elements(as: Scalar.self), shape: weight.shape)
      return table.gathering(blocksOf: size, at: rows, shape: output)
    case .directionMerge(let mode, let exchanging):
      return Tensor(merged(value.elements(as: Scalar.self), mode, exchanging), shape: output)
    case .linear(let weight, let bias):
      return Tensor(
        product(
          weight.elements(as: Scalar.self), value.elements(as: Scalar.self),
          bias?.elements(as: Scalar.self)), shape: output)
    case .softmax(let isLogarithm, let axis):
      return Tensor(
        softmax(value.elements(as: Scalar.self), isLogarithm, axis), shape: output)
    case .recurrent:
      preconditionFailure("recurrent modules have passes of their own")
    }
  }

  private func merged(_ x: [Scalar], _ mode: SequentialModule.MergeMode, _ exchanging: Bool)
    -> [Scalar]
  {
    let size = max(1, input.isState ? input.axes.last ?? 1 : (input.axes.last ?? 2) / 2)
    let rows = x.count / (2 * size)
    return (0..<rows).flatMap { row in
      let first = input.isState ? row * size : 2 * row * size
      let second = input.isState ? (rows + row) * size : first + size
      let (forward, reverse) = (x[first..<first + size], x[second..<second + size])
      return switch mode {
      case .concat where exchanging: Array(reverse) + Array(forward)
      case .concat: Array(forward) + Array(reverse)
      case .sum: zip(forward, reverse).map { $0 + $1 }
      case .mul: zip(forward, reverse).map { $0 * $1 }
      case .ave: zip(forward, reverse).map { ($0 + $1) / 2 }
      }
    }
  }

  private func product(_ weight: [Scalar], _ x: [Scalar], _ bias: [Scalar]?) -> [Scalar] {
    let (columns, rows) = (input.axes.last ?? 0, output.axes.last ?? 0)
    guard rows > 0 else { return [] }
    return (0..<output.elementCount).map { place in
      let (vector, row) = place.quotientAndRemainder(dividingBy: rows)
      var sum = bias?[row] ?? 0
      for column in 0..<columns {
        sum = sum.addingProduct(weight[row * columns + column], x[vector * columns + column])
      }
      return sum
    }
  }

  private func softmax(_ x: [Scalar], _ isLogarithm: Bool, _ axis: Int) -> [Scalar] {
    var result = x
    for line in output.lines(along: axis) {
      let largest = line.lazy.map { x[$0] }.reduce(-Scalar.infinity) {
        $1 > $0 || $1.isNaN ? $1 : $0
      }
      let sum = line.reduce(0) { $0 + Scalar.exp(x[$1] - largest) }
      for place in line {
        let difference = x[place] - largest
        result[place] = isLogarithm ? difference - .log(sum) : .exp(difference) / sum
      }
    }
    return result
  }
}

extension Shape {
  /// The offsets of the elements along an axis, for each place on the others.
  ///
  /// - Parameter axis: negative ones count from the last.
  package func lines(along axis: Int) -> [[Int]] {
    let axis = axis < 0 ? axis + rank : axis
    let (count, stride) = (axes[axis], axes[(axis + 1)...].reduce(1, *))
    guard elementCount > 0 else { return [] }
    return (0..<elementCount / count).map { line in
      let (block, offset) = line.quotientAndRemainder(dividingBy: stride)
      return (0..<count).map { (block * count + $0) * stride + offset }
    }
  }
}
