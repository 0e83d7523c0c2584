package import RecurrentModel

/// A fixture, loaded and known to be consistent in itself.
package struct ParityCase: Sendable {
  package let location: CaseLocation
  package let manifest: Manifest
  package let configuration: RecurrentConfiguration
  /// What PyTorch gave.
  package let reference: RecurrentOutput
  package let contract: LayoutContract
  /// What it takes to run the module; nil for a case without `state_dict`, which checks the
  /// layout alone.
  package let call: RecurrentCall?

  package init(
    location: CaseLocation, manifest: Manifest, configuration: RecurrentConfiguration,
    reference: RecurrentOutput, contract: LayoutContract, call: RecurrentCall?
  ) {
    self.location = location
    self.manifest = manifest
    self.configuration = configuration
    self.reference = reference
    self.contract = contract
    self.call = call
  }
}

extension ParityCase {
  /// The case with other results in place of PyTorch's, of the same shapes.
  package func with(reference: RecurrentOutput) -> ParityCase {
    ParityCase(
      location: location, manifest: manifest, configuration: configuration, reference: reference,
      contract: contract, call: call)
  }

  /// The case with other parameters or inputs.
  package func with(call: RecurrentCall?) -> ParityCase {
    ParityCase(
      location: location, manifest: manifest, configuration: configuration, reference: reference,
      contract: contract, call: call)
  }
}
