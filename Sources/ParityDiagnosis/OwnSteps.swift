import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// What is off in the last layer when each of its steps is computed from the failing side's own h
/// of the step before.
struct OwnSteps {
  /// The steps at which something of `output` is off, in some direction and sequence.
  let wrongSteps: Set<Int>
  /// The elements of the last layer's `c_n` that are off; nil where there is no `c_n`.
  let wrongCells: [FaultSearch.Deviation]?
  /// How many steps there are.
  let count: Int

  /// - Returns: nil where the results are stored in a coarser type than they were computed in, so
  ///   that the h from which the next step went on is not known; and where not every element can
  ///   be judged.
  /// - Complexity: O(17 forward passes).
  init?(_ faults: FaultSearch) {
    let (evidence, chain) = (faults.evidence, faults.evidence.chain)
    let arithmetic = evidence.stated?.arithmetic ?? chain.arithmetic
    let isRounded = evidence.outputs.named.contains { _, tensor in
      (Arithmetic(of: tensor.elementType)?.unitRoundoff ?? 0) > arithmetic.unitRoundoff
    }
    guard !isRounded,
      let estimate = try? NoiseEstimate.measure(
        ChainVariant(chain), RoundingModel(arithmetic, activations: chain.activations),
        keepsValues: true, forcing: evidence.outputs)
    else { return nil }
    func deviations(_ name: String) -> [FaultSearch.Deviation]? {
      guard let given = evidence.outputs[name], let own = estimate[name],
        given.shape == own.shape, !own.limits.isJudged.contains(false)
      else { return nil }
      let excess = FaultSearch.excess(given, Tensor(own.values, shape: own.shape), own.limits)
      return faults.deviations(of: excess, in: name, given.shape.axes.last ?? 1)
    }
    guard let output = deviations("output") else { return nil }
    wrongSteps = Set(output.compactMap(\.place.step))
    let last = faults.configuration.numLayers - 1
    wrongCells = deviations("c_n")?.filter { $0.place.layer == last }
    count = evidence.sequences.indices.map { faults.contract.length(of: $0) }.max() ?? 0
  }
}
