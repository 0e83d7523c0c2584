package import TensorCore

/// What goes from one module of a chain to the next, by its shape.
package struct ChainShape: Sendable, Equatable {
  package var shape: Shape
  /// Whether it is h_n, whose first axis are the directions; else these stand side by side in
  /// the last.
  package var isState = false
  /// Of the module that it comes from; 1 unless that is recurrent.
  package var directions = 1
  /// The axis along which the sequences of the batch stand; nil where there is no batch, or
  /// where a module has mixed its sequences.
  package var batchAxis: Int?

  package init(_ shape: Shape, batchAxis: Int? = nil) {
    self.shape = shape
    self.batchAxis = batchAxis
  }
}

/// What the modules of a chain are given and give, by their shapes: known before anything is
/// computed.
package struct ChainShapes: Sendable {
  /// By module.
  package let stages: [Stage]
  /// nil where there is no batch, or where its sequences are mixed on the way.
  package let batch: ChainBatch?

  /// In elements: 8 GiB of doubles.
  static let largestTensor = 1 << 30

  /// One module of the chain.
  package struct Stage: Sendable {
    package let input: ChainShape
    /// What is handed on.
    package let output: ChainShape
    /// Its results by their names without the module's, `output` first.
    package let results: [(name: String, shape: ChainShape)]
    /// Of a recurrent module's input; nil of any other.
    package let layout: SequenceLayout?
    /// The steps that a recurrent module reads, of all sequences together.
    package let steps: Int
  }

  /// - Throws: `InvalidValue`, naming the module, where one can't take what the one before
  ///   hands on, or where initial states or lengths do not fit.
  init(_ modules: [ChainModule], _ input: ChainInput) throws(InvalidValue) {
    let first = modules.lazy.compactMap(\.configuration).first
    // A candidate: the first recurrent module says whether it is right.
    let axis = first.map { $0.batchFirst || $0.module.isCell ? 0 : 1 }
    let inputAxis = axis.flatMap { $0 < input.tensor.shape.rank ? $0 : nil }
    var given = ChainShape(input.tensor.shape, batchAxis: inputAxis)
    var stages: [Stage] = []
    var isFirst = true
    for module in modules {
      let stage = try module.stage(
        given, input, isFirst: stages.isEmpty, takesStates: isFirst)
      if stage.layout != nil { isFirst = false }
      stages.append(stage)
      given = stage.output
    }
    self.stages = stages
    var axes: [String: Int] = [:]
    for (module, stage) in zip(modules, stages) {
      for (name, shape) in stage.results { axes[module.qualified(name)] = shape.batchAxis }
    }
    axes["output"] = given.batchAxis
    let isSeparate = stages.allSatisfy { stage in
      stage.results.allSatisfy { $0.shape.batchAxis != nil }
    }
    batch = inputAxis.flatMap { axis in
      isSeparate
        ? ChainBatch(size: input.tensor.shape.axes[axis], inputAxis: axis, axes: axes) : nil
    }
  }
}

extension ChainShapes.Stage {
  /// The layout contract of a recurrent module.
  package func contract(
    _ configuration: RecurrentConfiguration, _ packing: Packing?
  ) -> LayoutContract {
    guard let layout else { preconditionFailure("a module that is not recurrent has none") }
    return LayoutContract(
      configuration, layout: layout.with(steps: packing?.outputSteps ?? layout.steps),
      packing: packing)
  }
}

extension ChainModule {
  /// What it gives where it is given this.
  ///
  /// - Parameters:
  ///   - input: of the chain.
  ///   - isFirst: whether it is the first module, which alone can be given indices.
  ///   - takesStates: whether it is the first recurrent module, which takes initial states.
  /// - Throws: `InvalidValue`, naming the module, where it can't take it.
  package func stage(
    _ given: ChainShape, _ input: ChainInput, isFirst: Bool, takesStates: Bool
  ) throws(InvalidValue) -> ChainShapes.Stage {
    if !isFirst, case .embedding = layer {
      throw refusal("indices, which the first module alone is given", given)
    }
    if case .recurrent(let configuration, _, let select) = layer {
      return try recurrentStage(configuration, select, given, input, takesStates: takesStates)
    }
    var output = ChainShape(try checked(try outputAxes(given)))
    output.batchAxis = given.batchAxis.flatMap { batchAxis(after: $0, given) }
    return ChainShapes.Stage(
      input: given, output: output, results: [("output", output)], layout: nil, steps: 0)
  }

  private func recurrentStage(
    _ configuration: RecurrentConfiguration, _ select: Selection, _ given: ChainShape,
    _ input: ChainInput, takesStates: Bool
  ) throws(InvalidValue) -> ChainShapes.Stage {
    let module = configuration.module
    guard given.shape.axes.last == configuration.inputSize, !given.isState,
      let layout = SequenceLayout(
        ofSequences: given.shape, batchFirst: configuration.batchFirst, isCell: module.isCell),
      layout.steps > 0
    else { throw refusal("two or three axes, the last of \(configuration.inputSize)", given) }
    try RecurrentInput.check(
      h0: takesStates ? input.h0 : nil, c0: takesStates ? input.c0 : nil,
      packing: input.packing, layout, configuration)
    let outputLayout = layout.with(steps: input.packing?.outputSteps ?? layout.steps)
    let isSeparate = given.batchAxis == layout.batchAxis
    func shape(_ axes: [Int], batchAxis: Int?) throws(InvalidValue) -> ChainShape {
      ChainShape(try checked(axes), batchAxis: isSeparate ? batchAxis : nil)
    }
    func state(rows: Int, _ features: Int) throws(InvalidValue) -> ChainShape {
      try shape(
        layout.stateAxes(rows: rows, features: features), batchAxis: layout.stateBatchAxis)
    }
    let rows = configuration.stateRows
    var results: [(name: String, shape: ChainShape)] = []
    if !module.isCell {
      let axes = outputLayout.axes(features: configuration.outputFeatures)
      results.append(("output", try shape(axes, batchAxis: layout.batchAxis)))
    }
    results.append(("h_n", try state(rows: rows, configuration.outputSize)))
    if module.recurrence.hasCellState {
      results.append(("c_n", try state(rows: rows, configuration.hiddenSize)))
    }
    var output = results[0].shape
    if select == .hN {
      output = try state(rows: configuration.directions.count, configuration.outputSize)
      output.isState = true
    }
    output.directions = configuration.directions.count
    return ChainShapes.Stage(
      input: given, output: output, results: results, layout: layout,
      steps: input.packing?.lengths.reduce(0, +) ?? layout.batch * layout.steps)
  }

  /// Of what a module that is not recurrent gives.
  private func outputAxes(_ given: ChainShape) throws(InvalidValue) -> [Int] {
    let axes = given.shape.axes
    switch layer {
    case .embedding(let weight, _):
      return axes + [weight.shape.axes[1]]
    case .directionMerge(let mode):
      guard given.directions == 2 else {
        throw refusal("what a bidirectional module returns", given)
      }
      let features = axes.last ?? 0
      if given.isState {
        return axes.dropFirst().dropLast() + [features * (mode == .concat ? 2 : 1)]
      }
      return axes.dropLast() + [mode == .concat ? features : features / 2]
    case .linear(let weight, _):
      guard axes.last == weight.shape.axes[1] else {
        throw refusal("a last axis of \(weight.shape.axes[1])", given)
      }
      return axes.dropLast() + [weight.shape.axes[0]]
    case .softmax(let axis), .logSoftmax(let axis):
      guard -axes.count..<axes.count ~= axis else {
        throw InvalidValue(
          name + ".dim", expected: "an axis of \(given.shape)", found: "\(axis)")
      }
      return axes
    case .recurrent:
      preconditionFailure("a recurrent module has stages of its own")
    }
  }

  /// Where the sequences stand in what a module that is not recurrent gives; nil where it
  /// mixes them.
  private func batchAxis(after axis: Int, _ given: ChainShape) -> Int? {
    let last = given.shape.rank - 1
    return switch layer {
    case .embedding, .recurrent: axis
    case .directionMerge: given.isState ? axis - 1 : axis
    case .linear: axis == last ? nil : axis
    case .softmax(let own), .logSoftmax(let own):
      axis == (own < 0 ? own + last + 1 : own) ? nil : axis
    }
  }

  /// A small file can state a large tensor: an axis can be of any size where another is 0, and
  /// every index into a long row makes a row.
  private func checked(_ axes: [Int]) throws(InvalidValue) -> Shape {
    guard let shape = Shape(checking: axes), shape.elementCount <= ChainShapes.largestTensor else {
      throw InvalidValue(
        "the output of \(name)", expected: "at most 2^30 elements",
        found: "the shape \(Shape.text(axes))")
    }
    return shape
  }

  private func refusal(_ expected: String, _ given: ChainShape) -> InvalidValue {
    InvalidValue(
      "the input of \(name)", expected: expected,
      found: "\(given.shape)" + (given.isState ? ", an h_n" : ""))
  }
}
