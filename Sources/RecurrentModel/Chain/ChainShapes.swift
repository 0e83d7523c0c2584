package import TensorCore

/// The shape of what one module of a chain hands on to the next, and what its axes mean.
package struct ChainShape: Sendable, Equatable {
  package var shape: Shape
  /// Whether this is the h_n of a recurrent module that hands on its h_n: then the first axis has
  /// one place for each direction. Otherwise the directions stand side by side in the last axis.
  package var isState = false
  /// How many directions the recurrent module has that this comes from; 1 behind any other
  /// module.
  package var directions = 1
  /// The axis along which the sequences of the batch stand; nil where there is no batch, and
  /// where a module has mixed its sequences.
  package var batchAxis: Int?

  package init(_ shape: Shape, batchAxis: Int? = nil) {
    self.shape = shape
    self.batchAxis = batchAxis
  }
}

/// The shapes of all that the modules of a chain are given and give, which are known before
/// anything is computed.
package struct ChainShapes: Sendable {
  /// One for each module, in the chain's order.
  package let stages: [Stage]
  /// Where the sequences of the batch stand; nil where there is no batch, and where a module
  /// mixes its sequences.
  package let batch: ChainBatch?

  /// The most elements that a result may have: as doubles, they take 8 GiB.
  static let largestTensor = 1 << 30

  /// The shapes around one module of the chain.
  package struct Stage: Sendable {
    package let input: ChainShape
    /// What the module hands on to the next one.
    package let output: ChainShape
    /// The module's results by their names, without the module's own: `output` first where there
    /// is one, then `h_n` and `c_n`.
    package let results: [(name: String, shape: ChainShape)]
    /// The layout of a recurrent module's input; nil for any other module.
    package let layout: SequenceLayout?
    /// How many steps a recurrent module reads, those of all sequences together; 0 for any other
    /// module.
    package let steps: Int
  }

  /// - Throws: `InvalidValue`, naming the module, where a module cannot take what the one before
  ///   hands on, and where initial states or lengths do not fit.
  init(_ modules: [ChainModule], _ input: ChainInput) throws(InvalidValue) {
    let first = modules.lazy.compactMap(\.configuration).first
    // Only a candidate: whether the sequences stand there is checked at the first recurrent
    // module.
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
  /// The layout contract that the results of this recurrent module keep.
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
  /// The shapes around this module where it is given a value of the shape `given`.
  ///
  /// - Parameters:
  ///   - given: what the module before hands on.
  ///   - input: the input of the whole chain, with the initial states and lengths.
  ///   - isFirst: whether this is the first module, which alone can be given indices.
  ///   - takesStates: whether this is the first recurrent module, which takes the initial states.
  /// - Throws: `InvalidValue`, naming the module, where it cannot take what it is given.
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

  /// The axes of what a module that is not recurrent gives.
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

  /// Along which axis the sequences stand in what a module that is not recurrent gives, where
  /// they stand along `axis` in what it is given; nil where the module mixes them.
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

  /// Refuses shapes that are too large to hold. A small file can state a large tensor: an axis
  /// can be of any size where another is 0, and each index of an embedding, which may take one
  /// byte in the file, becomes a whole row.
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
