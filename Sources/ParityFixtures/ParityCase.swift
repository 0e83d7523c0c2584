package import RecurrentModel
package import TensorCore

/// A fixture, loaded and known to be consistent in itself.
package struct ParityCase: Sendable {
  package let location: CaseLocation
  package let manifest: Manifest
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
    /// What the module computes in; `stateDict` and `input` are of this type.
    package let arithmetic: ElementType

    package init(
      configuration: RecurrentConfiguration, stateDict: StateDict, input: RecurrentInput,
      arithmetic: ElementType
    ) {
      self.configuration = configuration
      self.stateDict = stateDict
      self.input = input
      self.arithmetic = arithmetic
    }
  }

  package init(
    location: CaseLocation, manifest: Manifest, reference: RecurrentOutput,
    contract: LayoutContract, model: Model?
  ) {
    self.location = location
    self.manifest = manifest
    self.reference = reference
    self.contract = contract
    self.model = model
  }
}
