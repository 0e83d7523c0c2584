import RealModule
package import TensorCore

/// The forward pass of a chain: its recurrent modules by somebody else's passes, what
/// stands around them here, every sum in the order of its terms.
package struct SequentialPass: Sendable {
  private let sequential: Sequential
  /// By module; nil for those that are not recurrent.
  private let passes: [(any ForwardPass)?]
  private let isDouble: Bool

  /// - Parameters:
  ///   - type: float32 or float64, which all is computed in.
  ///   - recurrent: makes the pass of a recurrent module.
  package init(
    _ sequential: Sequential, in type: ElementType,
    recurrent: (RecurrentConfiguration, StateDict) -> any ForwardPass
  ) {
    self.sequential = sequential
    isDouble = type == .float64
    passes = sequential.modules.map {
      guard case .recurrent(let configuration, let stateDict, _) = $0.layer else { return nil }
      return recurrent(configuration, stateDict)
    }
  }

  /// - Parameter input: fits the first module; indices within an embedding's rows.
  package func outputs(for input: Tensor) throws(InvalidValue) -> SequentialOutput {
    isDouble ? try outputs(for: input, Double.self) : try outputs(for: input, Float.self)
  }

  private func outputs<Scalar: Real & FloatingElement>(
    for input: Tensor, _: Scalar.Type
  ) throws(InvalidValue) -> SequentialOutput {
    var (value, shape) = (input, SequentialShape(input.shape.axes))
    var intermediates: [(name: String, tensor: Tensor)] = []
    for (module, pass) in zip(sequential.modules, passes) {
      func keep(_ name: String, _ tensor: Tensor) {
        intermediates.append((module.name + "." + name, tensor))
      }
      let next = try module.shape(for: shape)
      if case .recurrent(let configuration, _, let select) = module.layer, let pass {
        let outputs = pass.outputs(
          for: try RecurrentInput(
            input: Tensor(value.elements(as: Scalar.self), shape: value.shape), for: configuration))
        for (name, tensor) in outputs.named { keep(name, tensor) }
        guard let output = outputs.output else { preconditionFailure("a chain has no cells") }
        value = select == .output ? output : outputs.hN.lastRows(next)
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

extension Tensor {
  /// The last layer's rows of an h_n.
  fileprivate func lastRows(_ shape: SequentialShape) -> Tensor {
    let result = Shape(shape.axes)
    return gathering(
      Array(count - result.elementCount..<count), shape: result)
  }
}

/// A module that is not recurrent.
private struct SequentialLayer<Scalar: Real & FloatingElement> {
  let input: SequentialShape
  let output: Shape

  func result(_ layer: SequentialModule.Layer, _ value: Tensor) -> Tensor {
    switch layer {
    case .embedding(let weight):
      let size = weight.shape.axes[1]
      let rows = (value.integers ?? []).map { Int($0) * size }
      let table = Tensor(weight.elements(as: Scalar.self), shape: weight.shape)
      return table.gathering(blocksOf: size, at: rows, shape: output)
    case .directionMerge(let mode):
      return Tensor(merged(value.elements(as: Scalar.self), mode), shape: output)
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

  private func merged(_ x: [Scalar], _ mode: SequentialModule.MergeMode) -> [Scalar] {
    let size = max(1, input.isState ? input.axes.last ?? 1 : (input.axes.last ?? 2) / 2)
    let rows = x.count / (2 * size)
    return (0..<rows).flatMap { row in
      let first = input.isState ? row * size : 2 * row * size
      let second = input.isState ? (rows + row) * size : first + size
      let (forward, reverse) = (x[first..<first + size], x[second..<second + size])
      return switch mode {
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
      let largest = line.lazy.map { x[$0] }.reduce(-Scalar.infinity) { $1 > $0 || $1.isNaN ? $1 : $0 }
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
