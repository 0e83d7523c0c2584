import ParityFixtures
import RecurrentModel
import Synchronization
import TensorCore

/// The results of the three sides of a case that has parameters: the reference, what the subject
/// made of the same inputs, and the right results.
struct Passes: Sendable {
  let reference: Results
  let chain: Chain
  let subject: Side
  /// The subject's results; of a chain's intermediate results some may be missing.
  let actual: Results
  let truth: Truth
  /// What is stated of how the subject was computed.
  let stated: StatedComputation
  /// The recurrent modules as the subject ran them; none where the outputs were made elsewhere.
  let runs: [ModuleRun]

  /// Computes the right results, and runs the subject where it is a forward pass.
  ///
  /// - Throws: `SuppliedOutputs.Missing` where there are no outputs to judge, and `InvalidValue`
  ///   where a forward pass gives what the next module of a chain cannot take.
  /// - Complexity: O(2 forward passes).
  init(_ reference: Results, _ chain: Chain, _ contender: Contender) throws {
    self.reference = reference
    self.chain = chain
    subject = contender.side
    truth = try Truth(chain)
    switch contender {
    case .outputs(let supplied, let stated):
      let tensors = try supplied.outputs.get()
      // In the reference's order, which is that of the modules.
      actual = Results(
        reference.names.compactMap { name in tensors[name].map { (name, $0) } })
      self.stated = stated
      runs = []
    case .pass(let makePass):
      var runs: [ModuleRun] = []
      actual = try chain.results(in: chain.arithmetic.computation) { index, call in
        let pass = makePass(call)
        let outputs =
          chain.input.chunks.map { pass.outputs(for: call.input, in: $0) }
          ?? pass.outputs(for: call.input)
        runs.append(
          ModuleRun(
            module: chain.modules[index].name, call: call, pass: pass, outputs: outputs))
        return outputs
      }
      stated = StatedComputation()
      self.runs = runs
    }
  }

  /// What the oracle computes, or the kernels for doubles in its place.
  var oracle: Results { truth.results }

  /// What the subject computed in, where that is not what the case asks for.
  var arithmetic: Arithmetic? { stated.arithmetic }

  /// The results that all three sides have, in the order in which the modules run.
  var compared: [(name: String, actual: Tensor, reference: Tensor, oracle: Tensor)] {
    reference.named.compactMap { name, expected in
      guard let ours = actual[name], let exact = oracle[name] else { return nil }
      return (name, ours, expected, exact)
    }
  }

  /// What is wrong, as a sentence, where a result of the subject has another shape than the
  /// reference's; nil where none has.
  var shapeMismatch: String? {
    compared.lazy.compactMap { name, actual, reference, _ in
      ShapeMismatch(name, found: actual, expected: reference, in: chain.layouts)?
        .text(subject)
    }.first
  }

  /// What a diagnostician needs to say why a side is wrong.
  ///
  /// - Parameters:
  ///   - side: the one that differs from what the chain computes.
  ///   - module: the place of the first module whose own results differ.
  func failure(of side: Side, firstDiffering module: Int? = nil) -> Failure {
    let outputs = compared.map { ($0.name, side == .reference ? $0.reference : $0.actual) }
    return Failure(
      chain: chain, side: side, outputs: Results(outputs), oracle: oracle,
      stated: side == .reference ? StatedComputation() : stated, firstDiffering: module)
  }
}
