package import TensorCore

/// All that a case computes: a short chain of modules, each given what the one before hands
/// on, with what is given to the first.
///
/// ```swift
/// let chain = try Chain(modules, input: ChainInput(tokens), in: .float32)
/// let exact = try chain.results(in: .float64) { _, call in call.oracleOutputs }
/// ```
///
/// A recurrent module by itself is a chain of one module, which has no name: `Chain(call)`.
/// It is no `nn.Sequential` of any modules, only of those that people put around a recurrent
/// one, and data flows from each to the next alone.
package struct Chain: Sendable {
  package let modules: [ChainModule]
  package let input: ChainInput
  /// What the modules compute in. Parameters and input are rounded to it, and held in the
  /// type that we compute in, `arithmetic.computation`.
  package let arithmetic: Arithmetic
  /// What its modules are given and give.
  package let shapes: ChainShapes

  /// - Throws: `InvalidValue`, naming the module, where one can't take what the one before
  ///   hands on, and where initial states or lengths do not fit.
  /// - Complexity: O(modules), whatever the sizes.
  package init(
    _ modules: [ChainModule], input: ChainInput, in arithmetic: Arithmetic
  ) throws(InvalidValue) {
    self.modules = modules
    self.input = input
    self.arithmetic = arithmetic
    shapes = try ChainShapes(modules, input)
  }

  /// The chain of one module without a name.
  package init(_ call: RecurrentCall) {
    let module = ChainModule(
      name: "", layer: .recurrent(call.configuration, call.stateDict, select: .output))
    guard let chain = try? Chain([module], input: ChainInput(call.input), in: call.arithmetic)
    else { preconditionFailure("what a call holds fits together") }
    self = chain
  }

  /// Whether it is one recurrent module by itself, and no chain to those who wrote it.
  package var isSingleModule: Bool { modules.count == 1 && modules[0].name.isEmpty }

  /// The call of its only module; nil of a chain of several.
  package var call: RecurrentCall? {
    guard isSingleModule, case .recurrent(let configuration, let stateDict, _) = modules[0].layer,
      let input = try? RecurrentInput(
        input: input.tensor, h0: input.h0, c0: input.c0, packing: input.packing,
        for: configuration)
    else { return nil }
    return RecurrentCall(configuration, stateDict, input, in: arithmetic)
  }

  /// The same chain with other modules.
  ///
  /// - Throws: `InvalidValue` as the initializer does.
  package func with(modules: [ChainModule]) throws(InvalidValue) -> Chain {
    try Chain(modules, input: input, in: arithmetic)
  }

  /// Its results by their names in a fixture, in the order in which they are made.
  package var resultShapes: [(name: String, shape: ChainShape)] {
    let own = zip(modules, shapes.stages).flatMap { module, stage in
      stage.results.map { (name: module.qualified($0.name), shape: $0.shape) }
    }
    guard !isSingleModule, let last = shapes.stages.last else { return own }
    return own + [(name: "output", shape: last.output)]
  }

  /// Whether a result is a recurrent module's `output`, whose rows are steps.
  package func isOutput(_ name: String) -> Bool {
    modules.contains { $0.configuration != nil && $0.qualified("output") == name }
  }

  /// The place of the first recurrent module, which takes the initial states; nil where there
  /// is none.
  package var firstRecurrent: Int? { modules.firstIndex { $0.configuration != nil } }
}

/// What is given to a chain.
package struct ChainInput: Sendable {
  /// (B, T, I), (T, B, I) or (T, I) of floats; for an embedding indices, without the axis I.
  package let tensor: Tensor
  /// Of the first recurrent module, (D·L, B, P); nil for zeros.
  package let h0: Tensor?
  /// Of the first recurrent module, (D·L, B, H); nil for zeros, and where it has no cell state.
  package let c0: Tensor?
  /// How many steps each sequence has, in every recurrent module; nil when not packed.
  package let packing: Packing?

  package init(
    _ tensor: Tensor, h0: Tensor? = nil, c0: Tensor? = nil, packing: Packing? = nil
  ) {
    self.tensor = tensor
    self.h0 = h0
    self.c0 = c0
    self.packing = packing
  }

  package init(_ input: RecurrentInput) {
    self.init(input.input, h0: input.h0, c0: input.c0, packing: input.packing)
  }
}

extension Chain {
  /// The multiplications of one forward pass, and what weighs as much: an activation as
  /// thirty, and as ten thousand what each module costs however small it is.
  package var work: Double {
    zip(modules, shapes.stages).reduce(0) { sum, stage in
      let (module, shapes) = stage
      let elements = Double(shapes.output.shape.elementCount)
      let own: Double =
        switch module.layer {
        case .recurrent(let configuration, _, _):
          Double(shapes.steps) * configuration.workOfStep
        case .linear(let weight, _):
          elements * Double(weight.shape.axes[1])
        case .embedding, .directionMerge, .softmax, .logSoftmax:
          30 * elements
        }
      return sum + own + 1e4
    }
  }
}
