package import ParityFixtures
import RecurrentEngine
package import RecurrentModel
package import TensorCore

/// What is judged against the references.
///
/// ```swift
/// Judge(subject: .engine(threads: 2))
/// Judge(subject: .pass { call in Oracle(call) })
/// ```
package enum Subject: Sendable {
  /// Our engine, in each case's own arithmetic.
  case engine(threads: Int)
  /// Another forward pass of recurrent modules in the engine's place. It is made of a call's
  /// arguments and parameters, and then run on several inputs.
  case pass(@Sendable (RecurrentCall) -> any ForwardPass)
  /// Outputs that were made elsewhere, and what is stated of how. A case that the source has no
  /// outputs for is judged with our engine.
  case supplied(any OutputsSource, in: StatedComputation)
}

/// What a user states of how the outputs were computed that are judged.
package struct StatedComputation: Sendable, Equatable {
  /// What they were computed in, where that is not what the case asks for.
  package var arithmetic: Arithmetic?
  /// How accurate the sigmoid and tanh were.
  package var activations: ActivationAccuracy
  /// The type of fewer bits in which the weights were kept; nil where they are the case's own.
  package var weights: WeightStorage?

  package init(
    arithmetic: Arithmetic? = nil, activations: ActivationAccuracy = .relative,
    weights: WeightStorage? = nil
  ) {
    self.arithmetic = arithmetic
    self.activations = activations
    self.weights = weights
  }
}

/// The subject of one case: `Subject` once it is known whether there are outputs to judge.
enum Contender {
  case pass(@Sendable (RecurrentCall) -> any ForwardPass)
  case outputs(SuppliedOutputs, in: StatedComputation)

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
  /// The module's name in the chain; empty for a recurrent module by itself.
  let module: String
  let call: RecurrentCall
  /// The pass, which can be run on other inputs.
  let pass: any ForwardPass
  let outputs: RecurrentOutput
}
