/// A forward pass of one recurrent module whose parameters are fixed, and which can be run on any
/// input: the oracle's, our engine's, or that of an implementation that is tested.
package protocol ForwardPass: Sendable {
  /// - Parameter input: checked against the module's configuration.
  func outputs(for input: RecurrentInput) -> RecurrentOutput
}
