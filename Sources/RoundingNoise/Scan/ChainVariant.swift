package import RecurrentModel

/// A chain, and how each of its modules is computed: as PyTorch computes it, which is what a new
/// variant says, or with something done otherwise.
///
/// ```swift
/// var variant = ChainVariant(chain)
/// variant.modules[0].scan.step.addedToForget = 1
/// let wrong = try variant.exactResults()
/// ```
///
/// It says what is computed. How large its rounding errors are is measured by
/// `NoiseEstimate.measure`. Which variants are known mistakes, and what they are called, is no
/// matter of this room: see `Mistake` in `ParityDiagnosis`.
package struct ChainVariant: Sendable {
  package private(set) var chain: Chain
  /// What is done otherwise in each of the chain's modules, in the chain's order.
  package var modules: [ModuleVariant]
  /// Coarser arithmetic in all modules; nil for the case's own.
  package var emulation: Emulation?

  /// The chain as PyTorch computes it, until the variant is changed; in coarser arithmetic where
  /// `emulation` is not nil.
  package init(_ chain: Chain, emulation: Emulation? = nil) {
    self.chain = chain
    self.emulation = emulation
    modules = chain.modules.map { _ in ModuleVariant() }
  }

  /// Puts another module in the place of one of the chain, under the same name.
  ///
  /// - Throws: `InvalidValue` where the modules behind it cannot take what it hands on.
  package mutating func replaceLayer(
    at index: Int, by layer: ChainModule.Layer
  ) throws(InvalidValue) {
    var all = chain.modules
    all[index] = ChainModule(name: all[index].name, layer: layer)
    chain = try chain.with(modules: all)
  }

  /// Puts a module that the case does not have behind another. It has the other's name, so that
  /// its `output` takes the place of the other's among the results.
  ///
  /// - Throws: `InvalidValue` where the modules behind it cannot take what it hands on.
  package mutating func insert(
    _ layer: ChainModule.Layer, after index: Int
  ) throws(InvalidValue) {
    var all = chain.modules
    all.insert(ChainModule(name: all[index].name, layer: layer), at: index + 1)
    chain = try chain.with(modules: all)
    modules.insert(ModuleVariant(), at: index + 1)
  }

  /// Gives the chain another input.
  ///
  /// - Throws: `InvalidValue` where the modules cannot take it.
  package mutating func setInput(_ input: ChainInput) throws(InvalidValue) {
    chain = try Chain(
      chain.modules, input: input, in: chain.arithmetic, chain.activations)
  }

  /// What the variant computes, in float64.
  ///
  /// - Throws: `InvalidValue` where a mistake makes a module hand on what the next one cannot
  ///   take.
  /// - Complexity: O(one forward pass).
  package func exactResults() throws(InvalidValue) -> Results {
    let prepared = PreparedChain<ExactOperations>(self) { ExactMatrix($0, emulation) }
    let operations = ExactOperations(emulation: emulation)
    let scan = ChainScan(
      prepared: prepared, chain: chain, sequences: nil, operations: { _, _ in operations },
      isLost: { _, _ in false })
    return Results(try scan.run().results.map { ($0, $1.exactTensor) })
  }
}

/// What is done otherwise than in PyTorch in one module of a chain. A new one says: nothing.
package struct ModuleVariant: Sendable {
  /// How a recurrent module goes through its steps; of no use in other modules.
  package var scan = ScanVariant()
  /// Moves of a recurrent module's results to other places, made in this order.
  package var moves: [ResultMove] = []
  /// Moves that are made after these, and only in what is handed on to the next module, not in
  /// the results themselves.
  package var movesHandedOn: [ResultMove] = []

  package init() {}
}

/// A change of a recurrent module's results that moves vectors from one place to another and
/// computes nothing.
///
/// ```swift
/// // The two halves of output exchanged.
/// let move = ResultMove { outputs, _ in
///   outputs.with(output: outputs.output?.halvesExchanged)
/// }
/// ```
package struct ResultMove: Sendable {
  /// Whether the move puts results of one sequence in the place of another's.
  package let mixesSequences: Bool
  /// Whether elements of a direction's vector are put apart from each other.
  package let takesVectorsApart: Bool
  /// Makes the move.
  ///
  /// It must not depend on the numbers, and leave the size of the last axis as it finds it: it is
  /// given tensors whose last axis is the module's own, and, unless it takes vectors apart, also
  /// tensors that have one element for each vector of a direction, which tell where the move takes
  /// each vector from.
  package let apply: @Sendable (RecurrentOutput, LayoutContract) -> RecurrentOutput

  package init(
    mixesSequences: Bool = false, takesVectorsApart: Bool = false,
    _ apply: @escaping @Sendable (RecurrentOutput, LayoutContract) -> RecurrentOutput
  ) {
    self.mixesSequences = mixesSequences
    self.takesVectorsApart = takesVectorsApart
    self.apply = apply
  }
}
