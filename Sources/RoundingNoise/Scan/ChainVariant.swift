package import RecurrentModel

/// A chain, and how it is gone about: as its modules say, or as somebody does who got
/// something wrong.
///
/// ```swift
/// var variant = ChainVariant(chain)
/// variant.modules[0].scan.addsOneToForget = true
/// let wrong = try variant.exactResults()
/// ```
///
/// It says what is computed. How its rounding errs is `NoiseEstimate.measure`'s to tell.
package struct ChainVariant: Sendable {
  package private(set) var chain: Chain
  /// By the chain's modules.
  package var modules: [ModuleVariant]
  /// Coarser arithmetic than the case's own, in all modules; nil for the case's own.
  package var emulation: Emulation?

  package init(_ chain: Chain, emulation: Emulation? = nil) {
    self.chain = chain
    self.emulation = emulation
    modules = chain.modules.map { _ in ModuleVariant() }
  }

  /// Puts another module in a place of the chain.
  ///
  /// - Throws: `InvalidValue` where the modules behind can't take what it hands on.
  package mutating func replaceLayer(
    at index: Int, by layer: ChainModule.Layer
  ) throws(InvalidValue) {
    var all = chain.modules
    all[index] = ChainModule(name: all[index].name, layer: layer)
    chain = try chain.with(modules: all)
  }

  /// Adds a module that nobody asked for, under the name of the one before it, whose `output`
  /// it replaces.
  ///
  /// - Throws: `InvalidValue` where the modules behind can't take what it hands on.
  package mutating func insert(
    _ layer: ChainModule.Layer, after index: Int
  ) throws(InvalidValue) {
    var all = chain.modules
    all.insert(ChainModule(name: all[index].name, layer: layer), at: index + 1)
    chain = try chain.with(modules: all)
    modules.insert(ModuleVariant(), at: index + 1)
  }

  /// - Throws: `InvalidValue` where the modules do not take the input.
  package mutating func setInput(_ input: ChainInput) throws(InvalidValue) {
    chain = try Chain(chain.modules, input: input, in: chain.arithmetic)
  }

  /// What is computed, in float64.
  ///
  /// - Throws: `InvalidValue` where a module can't take what one before hands on wrongly.
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

/// How one module of a chain is gone about.
package struct ModuleVariant: Sendable {
  /// Of a recurrent module.
  package var scan = ScanVariant()
  /// What is done to a recurrent module's results, in order.
  package var moves: [ResultMove] = []
  /// What is done, behind that, to what is handed on, and not to the results themselves.
  package var movesHandedOn: [ResultMove] = []

  package init() {}
}

/// Results of a recurrent module that stand in another place.
package struct ResultMove: Sendable {
  /// Whether a sequence's results then are others' of its batch.
  package let mixesSequences: Bool
  /// Takes vectors from one place to another, and does not compute.
  ///
  /// The last axis of the tensors is the module's own, or has one element for each vector of
  /// a direction: the same move then tells where each of them comes from.
  package let apply: @Sendable (RecurrentOutput, LayoutContract) -> RecurrentOutput

  package init(
    mixesSequences: Bool = false,
    _ apply: @escaping @Sendable (RecurrentOutput, LayoutContract) -> RecurrentOutput
  ) {
    self.mixesSequences = mixesSequences
    self.apply = apply
  }
}
