package import ParityFixtures
import RecurrentEngine
package import RecurrentModel
package import TensorCore

/// What is judged against the references.
package enum Subject: Sendable {
  /// Our engine, in each case's own arithmetic.
  case engine(threads: Int)
  /// Another forward pass of recurrent modules in the engine's place.
  ///
  /// It is made of a call's parameters and then run on several inputs.
  case pass(@Sendable (RecurrentCall) -> any ForwardPass)
  /// Outputs that were made elsewhere, and what they were computed in where that is not what
  /// the cases ask for. A case that the source has none for is judged by itself.
  case supplied(any OutputsSource, in: Arithmetic?)
}

/// The subject of one case.
enum Contender {
  case pass(@Sendable (RecurrentCall) -> any ForwardPass)
  case outputs(SuppliedOutputs, in: Arithmetic?)

  var side: Side {
    switch self {
    case .pass: .engine
    case .outputs: .outputs
    }
  }

  static func engine(threads: Int) -> Contender {
    .pass { Engine.forwardPass($0, threads: threads) }
  }
}

/// One recurrent module of a case as the subject ran it.
struct ModuleRun: Sendable {
  /// Its name in the chain; empty for a recurrent module by itself.
  let module: String
  let call: RecurrentCall
  /// Ready to run on other inputs.
  let pass: any ForwardPass
  let outputs: RecurrentOutput
}
