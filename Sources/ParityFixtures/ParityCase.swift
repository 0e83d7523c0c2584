package import RecurrentModel

/// A fixture that was loaded and is consistent in itself: the modules and their input, and what
/// PyTorch computed with them.
///
/// ```swift
/// let parityCase = try ParityCase.load(CaseLocation(name: "gru", path: "Fixtures/gru.npz"))
/// let expected = parityCase.reference["h_n"]
/// let exact = try parityCase.chain?.results(in: .float64) { _, call in call.oracleOutputs }
/// ```
///
/// Nothing is judged yet: the reference may still be wrong.
package struct ParityCase: Sendable {
  package let location: CaseLocation
  package let manifest: Manifest
  /// What PyTorch computed, in the order in which the modules run. A case of one module has all
  /// of the module's results, or those that its manifest lists; a chain has the last result, and as many of the others as the
  /// fixture holds.
  package private(set) var reference: Results
  /// The recurrent modules, each with the identities that its results must meet.
  package let layouts: [ModuleLayout]
  /// The modules with their parameters and input, rounded to what they compute in; nil for a
  /// case without `state_dict`, of which only the layout can be checked.
  package private(set) var chain: Chain?

  package init(
    location: CaseLocation, manifest: Manifest, reference: Results, layouts: [ModuleLayout],
    chain: Chain?
  ) {
    self.location = location
    self.manifest = manifest
    self.reference = reference
    self.layouts = layouts
    self.chain = chain
  }

  /// The same case with other results of the same shapes in place of PyTorch's.
  package func with(reference: Results) -> ParityCase {
    var copy = self
    copy.reference = reference
    return copy
  }

  /// The same case with some of its results alone.
  ///
  /// - Throws: `InvalidValue` where it has none of these names, and where it has no parameters:
  ///   then the equalities between its results are all that is judged.
  package func only(_ names: [String]) throws(InvalidValue) -> ParityCase {
    guard chain != nil else {
      throw InvalidValue(
        "only \(names.joined(separator: ","))",
        expected: "all results of a case without state_dict", found: "some of them")
    }
    let part = reference.only(names)
    guard !part.named.isEmpty else {
      throw InvalidValue(
        "only \(names.joined(separator: ","))",
        expected: "one of \(reference.names.joined(separator: ", "))", found: "none of them")
    }
    return with(reference: part)
  }

  /// The results of the case's one module that it does not have; none of a chain, of which most
  /// may be left out.
  package var absentResults: [String] {
    isSingleModule ? manifest.modules[0].results.filter { reference[$0] == nil } : []
  }

  /// The same case with other parameters or inputs.
  package func with(chain: Chain?) -> ParityCase {
    var copy = self
    copy.chain = chain
    return copy
  }

  /// One chunk of a stream as a case of its own, which has the reference of the whole.
  ///
  /// - Throws: `InvalidValue` where the states do not fit the module.
  package func chunk(_ chunk: ChunkedRun.Chunk) throws(InvalidValue) -> ParityCase {
    let (h0, c0) =
      chunk.states.map { ($0["h_0"], $0["c_0"]) } ?? (chain?.input.h0, chain?.input.c0)
    return with(
      chain: try chain.map { chain throws(InvalidValue) in
        try chain.chunk(chunk.steps, h0: h0, c0: c0)
      })
  }

  /// Whether the case is one recurrent module, and no chain of modules.
  package var isSingleModule: Bool { manifest.isSingleModule }
}

/// A recurrent module of a case, and the identities between its results.
package struct ModuleLayout: Sendable {
  /// The module's name in the chain; empty where the case is one recurrent module.
  package let name: String
  package let configuration: RecurrentConfiguration
  package let contract: LayoutContract

  /// Whether the result with this name, such as `bilstm.h_n`, is one of this module's.
  package func gives(_ name: String) -> Bool {
    Results.ownNames.contains { Results.name($0, of: self.name) == name }
  }
}

extension Chain {
  /// The recurrent modules, each with the identities that its results must meet.
  package var layouts: [ModuleLayout] {
    zip(modules, shapes.stages).compactMap { module, stage in
      module.configuration.map { configuration in
        ModuleLayout(
          name: module.name, configuration: configuration,
          contract: stage.contract(configuration, input.packing))
      }
    }
  }
}
