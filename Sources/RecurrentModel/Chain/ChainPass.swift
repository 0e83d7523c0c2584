import RealModule
package import TensorCore

extension Chain {
  /// Runs the forward pass of all modules and returns what each of them gives.
  ///
  /// The recurrent modules are computed by `recurrent`, which makes the difference between the
  /// oracle's pass and the engine's. What stands around them is computed here, in `type`, every
  /// sum in the order of its terms, and in the same way for both: an embedding or a linear layer
  /// has no second way that would be worth checking against the first, and the reference is
  /// PyTorch's.
  ///
  /// - Parameters:
  ///   - type: float32 or float64.
  ///   - recurrent: computes the recurrent module that stands at a place in the chain.
  /// - Throws: `InvalidValue`, naming a module, where `recurrent` returns other shapes than its
  ///   module has and the next module is given them.
  /// - Complexity: O(one forward pass).
  package func results(
    in type: ElementType, recurrent: (_ module: Int, RecurrentCall) -> RecurrentOutput
  ) throws(InvalidValue) -> Results {
    type == .float64
      ? try results(Double.self, recurrent) : try results(Float.self, recurrent)
  }

  private func results<Scalar: Real & FloatingElement>(
    _: Scalar.Type, _ recurrent: (Int, RecurrentCall) -> RecurrentOutput
  ) throws(InvalidValue) -> Results {
    var results = Results()
    var value = input.tensor
    for (index, module) in modules.enumerated() {
      let stage = shapes.stages[index]
      guard value.shape == stage.input.shape else {
        throw InvalidValue(
          "the input of \(module.name)", expected: "the shape \(stage.input.shape)",
          found: "\(value.shape)")
      }
      if case .recurrent(let configuration, let stateDict, let select) = module.layer {
        let call = RecurrentCall(
          configuration, stateDict,
          try recurrentInput(index, value, Scalar.elementType), in: arithmetic)
        let outputs = recurrent(index, call)
        for (name, tensor) in outputs.named { results[module.qualified(name)] = tensor }
        value = outputs.selected(select, stage.output.shape)
      } else {
        let layer = ChainLayer<Scalar>(input: stage.input, output: stage.output.shape)
        value = layer.result(module.layer, value)
        results[module.qualified("output")] = value
      }
    }
    if !isSingleModule { results["output"] = value }
    return results
  }

  /// What the recurrent module at a place in the chain is given: the value, the initial states
  /// where it is the first recurrent module, and the lengths.
  ///
  /// - Parameters:
  ///   - index: the module's place in the chain.
  ///   - value: what the module before hands on.
  ///   - type: the type in which the module is computed, to which all numbers are rounded.
  /// - Throws: `InvalidValue` where the value does not fit the module.
  package func recurrentInput(
    _ index: Int, _ value: Tensor, _ type: ElementType
  ) throws(InvalidValue) -> RecurrentInput {
    guard let configuration = modules[index].configuration else {
      preconditionFailure("\(modules[index].name) is not recurrent")
    }
    let takesStates = index == firstRecurrent
    return try RecurrentInput(
      input: value.rounded(to: type), h0: takesStates ? input.h0?.rounded(to: type) : nil,
      c0: takesStates ? input.c0?.rounded(to: type) : nil, packing: input.packing,
      for: configuration)
  }
}

extension RecurrentOutput {
  /// What the module hands on, in the given shape: `output`, or the last rows of h_n. A cell has
  /// no `output` and hands on its h_n.
  func selected(_ select: ChainModule.Selection, _ shape: Shape) -> Tensor {
    let count = shape.elementCount
    guard select == .hN, hN.count >= count else { return output ?? hN }
    return hN.gathering(blocksOf: count, at: [hN.count - count], shape: shape)
  }
}

/// The computation of a module that is not recurrent.
private struct ChainLayer<Scalar: Real & FloatingElement> {
  let input: ChainShape
  let output: Shape

  func result(_ layer: ChainModule.Layer, _ value: Tensor) -> Tensor {
    func numbers(_ tensor: Tensor) -> [Scalar] { tensor.elements(as: Scalar.self) }
    switch layer {
    case .embedding(let weight, _):
      let size = weight.shape.axes[1]
      let rows = (value.integers ?? []).map { Int($0) * size }
      let table = Tensor(numbers(weight), shape: weight.shape)
      return table.gathering(blocksOf: size, at: rows, shape: output)
    case .directionMerge(let mode):
      return Tensor(merged(numbers(value), mode), shape: output)
    case .linear(let weight, let bias):
      return Tensor(
        product(numbers(weight), numbers(value), bias.map(numbers)), shape: output)
    case .softmax(let axis):
      return Tensor(softmax(numbers(value), axis) { .exp($0) / $1 }, shape: output)
    case .logSoftmax(let axis):
      return Tensor(softmax(numbers(value), axis) { $0 - .log($1) }, shape: output)
    case .recurrent:
      preconditionFailure("recurrent modules have passes of their own")
    }
  }

  /// Joins the two directions. In an `output` they stand side by side in each row; in an h_n all
  /// rows of the forward direction come before those of the reverse one.
  private func merged(_ x: [Scalar], _ mode: ChainModule.MergeMode) -> [Scalar] {
    let features = input.shape.axes.last ?? 0
    let size = max(1, input.isState ? features : features / 2)
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

  /// W x + b for each vector x, starting from the bias, with fused multiply-adds.
  private func product(_ weight: [Scalar], _ x: [Scalar], _ bias: [Scalar]?) -> [Scalar] {
    let (columns, rows) = (input.shape.axes.last ?? 0, output.axes.last ?? 0)
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

  /// - Parameter result: makes an element of the result from two numbers: what the input's
  ///   element exceeds the largest on its line by, and the sum of the exponentials of these
  ///   differences over the whole line.
  private func softmax(
    _ x: [Scalar], _ axis: Int, _ result: (_ difference: Scalar, _ sum: Scalar) -> Scalar
  ) -> [Scalar] {
    var results = x
    for line in output.lines(along: axis) {
      let largest = line.lazy.map { x[$0] }.reduce(-Scalar.infinity) {
        $1 > $0 || $1.isNaN ? $1 : $0
      }
      let sum = line.reduce(0) { $0 + Scalar.exp(x[$1] - largest) }
      for place in line { results[place] = result(x[place] - largest, sum) }
    }
    return results
  }
}
