package import ParityFixtures
package import RecurrentModel
package import TensorCore

/// A case of one recurrent module, as its tests speak of it.
extension ParityCase {
  /// A module's case without a manifest to read.
  package init(
    _ call: RecurrentCall, named name: String, _ manifest: Manifest, _ outputs: RecurrentOutput
  ) {
    let chain = Chain(call)
    self.init(
      location: CaseLocation(name: name, path: name), manifest: manifest,
      reference: Results(outputs), layouts: chain.layouts, chain: chain)
  }

  package var call: RecurrentCall? { chain?.call }

  package var configuration: RecurrentConfiguration { layouts[0].configuration }

  package var contract: LayoutContract { layouts[0].contract }

  /// What PyTorch gave.
  package var outputs: RecurrentOutput {
    guard let outputs = reference.outputs(of: "") else {
      preconditionFailure("\(location.name) is not one module")
    }
    return outputs
  }

  package func with(outputs: RecurrentOutput) -> ParityCase { with(reference: Results(outputs)) }

  package func with(call: RecurrentCall?) -> ParityCase { with(chain: call.map { Chain($0) }) }

  /// The case with another `state_dict`.
  package func with(parameters: [String: Tensor]) throws -> ParityCase {
    guard let call else { return self }
    return with(
      call: call.with(
        stateDict: try StateDict(parameters, checkedAgainst: call.configuration)))
  }
}

extension Chain {
  /// What the specification gives.
  package func oracleResults() throws -> Results {
    try results(in: .float64) { _, call in call.oracleOutputs }
  }
}

extension Tensor {
  /// The tensor with its elements changed.
  package func changing(_ change: (inout [Double]) -> Void) -> Tensor {
    var elements = elements(as: Double.self)
    change(&elements)
    return Tensor(elements, shape: shape).rounded(to: elementType)
  }
}
