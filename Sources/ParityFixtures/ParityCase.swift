package import RecurrentModel
package import TensorCore

/// A fixture, loaded and known to be consistent in itself.
package struct ParityCase: Sendable {
  package let location: CaseLocation
  package let manifest: Manifest
  package let configuration: RecurrentConfiguration
  /// What PyTorch gave.
  package let reference: RecurrentOutput
  package let contract: LayoutContract
  /// nil for a case without `state_dict`, which checks the layout alone.
  package let model: Model?

  /// What it takes to run the module.
  package struct Model: Sendable {
    package let configuration: RecurrentConfiguration
    package let stateDict: StateDict
    package let input: RecurrentInput
    /// What the module computes in; `stateDict` and `input` are rounded to it, and
    /// held in the type that we compute in.
    package let arithmetic: Arithmetic

    package init(
      configuration: RecurrentConfiguration, stateDict: StateDict, input: RecurrentInput,
      arithmetic: Arithmetic
    ) {
      self.configuration = configuration
      self.stateDict = stateDict
      self.input = input
      self.arithmetic = arithmetic
    }
  }

  package init(
    location: CaseLocation, manifest: Manifest, configuration: RecurrentConfiguration,
    reference: RecurrentOutput, contract: LayoutContract, model: Model?
  ) {
    self.location = location
    self.manifest = manifest
    self.configuration = configuration
    self.reference = reference
    self.contract = contract
    self.model = model
  }
}

extension ParityCase {
  /// The case with other results in place of PyTorch's, of the same shapes.
  package func with(reference: RecurrentOutput) -> ParityCase {
    ParityCase(
      location: location, manifest: manifest, configuration: configuration, reference: reference,
      contract: contract, model: model)
  }

  /// The case with other parameters or inputs.
  package func with(model: Model?) -> ParityCase {
    ParityCase(
      location: location, manifest: manifest, configuration: configuration, reference: reference,
      contract: contract, model: model)
  }
}
