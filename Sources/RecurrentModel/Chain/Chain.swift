package import TensorCore

/// All that a case computes: a short chain of modules, each of which is given what the one before
/// it hands on, together with the input of the first.
///
/// ```swift
/// let chain = try Chain(modules, input: ChainInput(tokens), in: .float32)
/// let exact = try chain.results(in: .float64) { _, call in call.oracleOutputs }
/// exact["output"]  // what the last module hands on
/// ```
///
/// A recurrent module by itself is a chain of one module, which has no name: `Chain(call)`.
///
/// It is not a general `nn.Sequential`: it holds only the modules that people put around a
/// recurrent one, and but for initial states and lengths each module reads only what the module
/// before it hands on. It holds no results either: the oracle, the engine and the replicas each
/// compute theirs from it.
package struct Chain: Sendable {
  package let modules: [ChainModule]
  package private(set) var input: ChainInput
  /// What the modules compute in. Whoever makes a chain has rounded the parameters and the input
  /// to it already, and stores them in the type in which we compute, `arithmetic.computation`:
  /// those of a bfloat16 module are float32 tensors whose numbers all fit bfloat16.
  package let arithmetic: Arithmetic
  /// How accurate the sigmoid and tanh of the program were that computed the reference.
  package let activations: ActivationAccuracy
  /// The shapes of what each module is given and gives.
  package let shapes: ChainShapes

  /// Checks that the modules fit together, and that the input fits the first one.
  ///
  /// - Throws: `InvalidValue`, naming the module, where a module cannot take what the one before
  ///   hands on, and where initial states or lengths do not fit.
  /// - Complexity: O(modules · sequences) where the batch is packed, and else O(modules): shapes
  ///   and lengths are looked at, and no elements.
  package init(
    _ modules: [ChainModule], input: ChainInput, in arithmetic: Arithmetic,
    _ activations: ActivationAccuracy = .relative
  ) throws(InvalidValue) {
    self.modules = modules
    self.input = input
    self.arithmetic = arithmetic
    self.activations = activations
    shapes = try ChainShapes(modules, input)
  }

  /// The chain of one recurrent module, without a name.
  package init(_ call: RecurrentCall, _ activations: ActivationAccuracy = .relative) {
    let module = ChainModule(
      name: "", layer: .recurrent(call.configuration, call.stateDict, select: .output))
    guard
      let chain = try? Chain(
        [module], input: ChainInput(call.input), in: call.arithmetic, activations)
    else { preconditionFailure("what a call holds fits together") }
    self = chain
  }

  /// Whether this is one recurrent module by itself: those who wrote the case wrote a module, and
  /// no chain.
  package var isSingleModule: Bool { modules.count == 1 && modules[0].name.isEmpty }

  /// The call of a recurrent module that is by itself; nil for a chain of named modules.
  package var call: RecurrentCall? {
    guard isSingleModule, case .recurrent(let configuration, let stateDict, _) = modules[0].layer,
      let input = try? RecurrentInput(
        input: input.tensor, h0: input.h0, c0: input.c0, packing: input.packing,
        for: configuration)
    else { return nil }
    return RecurrentCall(configuration, stateDict, input, in: arithmetic)
  }

  /// The chain called on all steps at once.
  package var withoutChunks: Chain {
    var copy = self
    copy.input = ChainInput(input.tensor, h0: input.h0, c0: input.c0, packing: input.packing)
    return copy
  }

  /// The chain of other modules on the same input.
  ///
  /// - Throws: `InvalidValue` where the initializer does.
  package func with(modules: [ChainModule]) throws(InvalidValue) -> Chain {
    try Chain(modules, input: input, in: arithmetic, activations)
  }

  /// The name and the shape of each result, in the order in which the results are computed: what
  /// a forward pass is going to give.
  package var resultShapes: [(name: String, shape: ChainShape)] {
    let own = zip(modules, shapes.stages).flatMap { module, stage in
      stage.results.map { (name: module.qualified($0.name), shape: $0.shape) }
    }
    guard !isSingleModule, let last = shapes.stages.last else { return own }
    return own + [(name: "output", shape: last.output)]
  }

  /// Whether a result of this name is the `output` of a recurrent module, and so has one vector
  /// for each step. A chain's own `output`, which is what its last module hands on, is not one.
  package func isOutput(_ name: String) -> Bool {
    modules.contains { $0.configuration != nil && $0.qualified("output") == name }
  }

  /// The place in the chain of the first recurrent module, which is the one that takes the
  /// initial states; nil where there is no recurrent module.
  package var firstRecurrent: Int? { modules.firstIndex { $0.configuration != nil } }
}

/// What is given to a chain: the input of its first module, and what its recurrent modules need
/// beside their input.
package struct ChainInput: Sendable {
  /// The input of the first module: floats of the shape (B, T, I), (T, B, I) or (T, I), for a
  /// cell (B, I) or (I). For an embedding it holds indices, and lacks the axis I. Whoever makes
  /// the input has checked that each index names a row of the embedding.
  package let tensor: Tensor
  /// The initial hidden state of the first recurrent module, (D·L, B, P), without a batch
  /// (D·L, P), for a cell (B, H) or (H); nil where it starts from zeros, as every later one does.
  package let h0: Tensor?
  /// The initial cell state of the first recurrent module, (D·L, B, H), without a batch (D·L, H),
  /// for a cell (B, H) or (H); nil where it starts from zeros, and where it has no cell state.
  package let c0: Tensor?
  /// How many steps each sequence has, the same in every recurrent module; nil where the batch is
  /// not packed.
  package let packing: Packing?
  /// The chunks of steps that a chain of one recurrent module is called on, one after the other;
  /// nil where it is called on all steps at once. The right results are the same.
  package let chunks: Chunks?

  package init(
    _ tensor: Tensor, h0: Tensor? = nil, c0: Tensor? = nil, packing: Packing? = nil,
    chunks: Chunks? = nil
  ) {
    self.tensor = tensor
    self.h0 = h0
    self.c0 = c0
    self.packing = packing
    self.chunks = chunks
  }

  /// The input of a recurrent module that is by itself.
  package init(_ input: RecurrentInput) {
    self.init(input.input, h0: input.h0, c0: input.c0, packing: input.packing)
  }
}

extension Chain {
  /// What one forward pass costs, counted in multiplications. What is not a multiplication is
  /// counted as the number of them that take as long: an activation, or an element of a module
  /// that has no weights to multiply by, as thirty, and each module, however small it is, as ten
  /// thousand more.
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
