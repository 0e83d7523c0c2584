/// A forward pass of one module: the oracle, our engine, or somebody else's.
package protocol ForwardPass: Sendable {
  /// - Parameter input: checked against this module's configuration.
  func outputs(for input: RecurrentInput) -> RecurrentOutput
}
