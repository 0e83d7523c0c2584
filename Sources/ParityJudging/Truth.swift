import Platform
import RecurrentEngine
package import RecurrentModel
package import TensorComparison
import TensorCore

/// The right results: what a chain computes in doubles.
///
/// ```swift
/// let truth = try Truth(chain)
/// truth.results["output"]
/// truth.samples  // empty unless a module is large
/// ```
///
/// The oracle is the specification, and slow on purpose. What a small module computes is taken
/// from it. In a large one, its results come from the engine's kernels for doubles, on all cores,
/// and the oracle is run beside them on a sample: the first steps of some sequences. Where the case
/// itself is of float64, our engine has the same bits as these results, so that the sample alone
/// holds it to the oracle.
package struct Truth: Sendable {
  package let results: Results
  /// How the oracle was held against the kernels, for each large module in the chain's order.
  package let samples: [OracleSample]

  /// - Throws: `InvalidValue`, naming a module, where a module hands on what the next one cannot
  ///   take. A checked chain never throws.
  /// - Complexity: O(1 forward pass).
  package init(_ chain: Chain) throws(InvalidValue) {
    var samples: [OracleSample] = []
    results = try chain.results(in: .float64) { index, call in
      guard call.isLarge else { return call.oracleOutputs }
      let pass = Engine.forwardPass(
        call.with(arithmetic: .float64), threads: Machine.cores)
      samples.append(OracleSample(chain.modules[index].name, call, beside: pass))
      return pass.outputs(for: call.input)
    }
    self.samples = samples
  }
}

/// The oracle beside another pass in doubles, on part of a call's input.
package struct OracleSample: Sendable {
  /// The module's name in the chain; empty for a recurrent module by itself.
  package let module: String
  /// How many of the batch's sequences the oracle was run on, and on how many of their steps.
  package let sequences: Int
  package let steps: Int
  /// How the two differ, by the results' names.
  package let differences: [(name: String, difference: TensorDifference)]

  package var agrees: Bool { differences.allSatisfy(\.difference.agrees) }

  /// How much the oracle computes, in multiplications. It takes some hundredths of a second.
  private static let work = 1e8

  /// Two right passes in doubles differ by some 1e-16 in each step, which a few steps of a chaotic
  /// module can amplify. A constant that has only the digits of a float32 makes 1e-8.
  private static let tolerance = Limits.bound(rtol: 1e-10, atol: 1e-10)

  init(_ module: String, _ call: RecurrentCall, beside pass: any ForwardPass) {
    self.module = module
    let part = call.beginning(work: Self.work, sequences: 2)
    sequences = part.input.layout.batch
    steps = part.input.layout.steps
    differences = zip(pass.outputs(for: part.input).named, part.oracleOutputs.named).map {
      (
        $0.name,
        TensorDifference(of: $0.tensor, from: $1.tensor, within: Self.tolerance)
      )
    }
  }
}

extension RecurrentCall {
  /// Whether a forward pass takes so many multiplications that the oracle would be waited for:
  /// it carries out some 10⁹ a second.
  package var isLarge: Bool { work > 2e8 }

  /// The same call on the first steps of some sequences, evenly spaced over the batch: on as many
  /// steps as a forward pass of `work` multiplications takes, but at least on two.
  ///
  /// - Parameter sequences: how many at most.
  func beginning(work: Double, sequences: Int) -> RecurrentCall {
    let batch = input.layout.batch
    let count = min(batch, sequences)
    let steps = max(2, Int(work / (configuration.workOfStep * Double(count))))
    // The first and the last are among them.
    let chosen = (0..<count).map { $0 * (batch - 1) / max(1, count - 1) }
    return with(input: input.selecting(sequences: chosen).beginning(steps: steps))
  }
}
