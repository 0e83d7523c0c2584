package import TensorCore

/// What goes from one module of a chain to the next, by its shape.
package struct SequentialShape: Sendable, Equatable {
  package var axes: [Int]
  /// Whether it is h_n, whose first axis are the directions; else these stand side by
  /// side in the last.
  package var isState = false
  /// Of the module that it comes from; 1 unless that is recurrent.
  package var directions = 1

  package init(_ axes: [Int]) { self.axes = axes }
}

extension Sequential {
  /// The shapes of all outputs, by the names of `SequentialOutput`.
  ///
  /// - Throws: `InvalidValue`, naming the module, where one can't take what the one
  ///   before hands on.
  package func outputShapes(for input: Shape) throws(InvalidValue) -> [String: Shape] {
    var shape = SequentialShape(input.axes)
    var shapes: [String: Shape] = [:]
    for module in modules {
      for (name, axes) in try module.stateAxes(for: shape) {
        shapes[module.name + "." + name] = try module.checked(axes, shape)
      }
      let handedOn = try module.shape(for: shape)
      shapes[module.name + ".output"] = try module.checked(
        try module.outputAxes(for: shape), shape)
      shapes["output"] = try module.checked(handedOn.axes, shape)
      shape = handedOn
    }
    return shapes
  }
}

extension SequentialModule {
  /// What is handed on.
  package func shape(for input: SequentialShape) throws(InvalidValue) -> SequentialShape {
    var shape = SequentialShape(try outputAxes(for: input))
    if case .recurrent(let configuration, _, let select) = layer {
      shape.directions = configuration.directions.count
      if select != .output {
        let layout = try layout(for: input, configuration)
        shape.isState = true
        shape.axes = layout.stateAxes(
          rows: shape.directions, features: configuration.outputSize)
      }
    }
    return shape
  }

  /// Of `output`.
  func outputAxes(for input: SequentialShape) throws(InvalidValue) -> [Int] {
    switch layer {
    case .embedding(let weight, _):
      return input.axes + [weight.shape.axes[1]]
    case .recurrent(let configuration, _, _):
      return try layout(for: input, configuration).axes(features: configuration.outputFeatures)
    case .directionMerge(let mode, _):
      guard input.directions == 2 else {
        throw invalid("what a bidirectional module returns", input)
      }
      if input.isState {
        let features = (input.axes.last ?? 0) * (mode == .concat ? 2 : 1)
        return input.axes.dropFirst().dropLast() + [features]
      }
      let features = input.axes.last ?? 0
      return input.axes.dropLast() + [mode == .concat ? features : features / 2]
    case .linear(let weight, _):
      guard input.axes.last == weight.shape.axes[1] else {
        throw invalid("a last axis of \(weight.shape.axes[1])", input)
      }
      return input.axes.dropLast() + [weight.shape.axes[0]]
    case .softmax(_, let axis):
      guard -input.axes.count..<input.axes.count ~= axis else {
        throw InvalidValue(
          name + ".dim", expected: "an axis of \(Shape.text(input.axes))", found: "\(axis)")
      }
      return input.axes
    }
  }

  /// Of h_n and c_n.
  fileprivate func stateAxes(
    for input: SequentialShape
  ) throws(InvalidValue) -> [(String, [Int])] {
    guard case .recurrent(let configuration, _, _) = layer else { return [] }
    let (layout, rows) = (try layout(for: input, configuration), configuration.stateRows)
    let hN = ("h_n", layout.stateAxes(rows: rows, features: configuration.outputSize))
    guard configuration.module.recurrence.hasCellState else { return [hN] }
    return [hN, ("c_n", layout.stateAxes(rows: rows, features: configuration.hiddenSize))]
  }

  /// An axis of a file's tensor can be of any size where another is 0.
  fileprivate func checked(
    _ axes: [Int], _ input: SequentialShape
  ) throws(InvalidValue) -> Shape {
    guard let shape = Shape(checking: axes) else {
      throw InvalidValue(
        "the output of \(name)", expected: "axes that multiply to less than 2^63, zeros aside",
        found: "the shape \(Shape.text(axes))")
    }
    return shape
  }

  private func layout(
    for input: SequentialShape, _ configuration: RecurrentConfiguration
  ) throws(InvalidValue) -> SequenceLayout {
    guard input.axes.last == configuration.inputSize, !input.isState,
      let shape = Shape(checking: input.axes),
      let layout = SequenceLayout(
        ofSequences: shape, batchFirst: configuration.batchFirst, isCell: false),
      layout.steps > 0
    else {
      throw invalid("two or three axes, the last of \(configuration.inputSize)", input)
    }
    return layout
  }

  private func invalid(_ expected: String, _ input: SequentialShape) -> InvalidValue {
    InvalidValue(
      "the input of \(name)", expected: expected,
      found: Shape.text(input.axes) + (input.isState ? ", an h_n" : ""))
  }
}
