package import RecurrentModel

/// A fixture, loaded and known to be consistent in itself: what is computed, and what PyTorch
/// gave for it.
///
/// ```swift
/// let parityCase = try ParityCase.load(location)
/// let exact = try parityCase.chain?.results(in: .float64) { _, call in call.oracleOutputs }
/// ```
package struct ParityCase: Sendable {
  package let location: CaseLocation
  package let manifest: Manifest
  /// What PyTorch gave, in the order in which the modules run. A case of one module has all of
  /// its results, a chain the last and as many of the others as the fixture holds.
  package let reference: Results
  /// The layout contract of each recurrent module.
  package let layouts: [ModuleLayout]
  /// What it takes to compute it; nil for a case without `state_dict`, which checks the layout
  /// alone.
  package let chain: Chain?

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

  /// The case with other results in place of PyTorch's, of the same shapes.
  package func with(reference: Results) -> ParityCase {
    ParityCase(
      location: location, manifest: manifest, reference: reference, layouts: layouts,
      chain: chain)
  }

  /// The case with other parameters or inputs.
  package func with(chain: Chain?) -> ParityCase {
    ParityCase(
      location: location, manifest: manifest, reference: reference, layouts: layouts,
      chain: chain)
  }

  /// Whether it is one recurrent module by itself.
  package var isSingleModule: Bool { manifest.modules[0].name.isEmpty }
}

/// A recurrent module of a case, and how its results hang together.
package struct ModuleLayout: Sendable {
  /// Its name in the chain; empty for a recurrent module by itself.
  package let name: String
  package let configuration: RecurrentConfiguration
  package let contract: LayoutContract

  package init(name: String, configuration: RecurrentConfiguration, contract: LayoutContract) {
    self.name = name
    self.configuration = configuration
    self.contract = contract
  }

  /// Whether this module gives a tensor of this name.
  package func gives(_ name: String) -> Bool {
    ["output", "h_n", "c_n"].contains { Results.name($0, of: self.name) == name }
  }
}

extension Chain {
  /// The layout contract of each recurrent module.
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
