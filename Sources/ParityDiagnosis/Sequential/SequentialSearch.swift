import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorComparison
import TensorCore

/// Looks for the mistake in a chain under which a failing side is reproduced.
struct SequentialSearch {
  /// Of some sequences.
  private let sample: SequentialFailure
  /// Of all, for what mixes them.
  private let whole: SequentialFailure
  /// How much a search may cost, in multiplications.
  private let budget: Double

  struct Match {
    let replay: SequentialReplay
    /// The largest difference that it leaves, in σ.
    let z: Double
  }

  /// O(17 forward passes over the sample).
  init(_ failure: SequentialFailure, budget: Double) {
    whole = failure
    sample = failure.sample(work: budget / 1000)
    // A few need the whole batch, which then may cost more than any sample.
    self.budget = 100 * budget
  }

  /// Those that reproduce the failing side, as far as the budget allows to try them.
  func matches() -> [Match] {
    var left = budget
    let affordable = SequentialReplay.all(of: whole.chain.sequential).filter { replay in
      let failure = failure(for: replay)
      let work = failure.chain.sequential.work(for: failure.chain.input.shape)
      guard work <= left else { return false }
      left -= work
      return true
    }
    return concurrentMap(affordable.count) { index -> Match? in
      let (replay, failure) = (affordable[index], failure(for: affordable[index]))
      guard let outputs = try? replay.outputs(for: failure.chain.input, failure.chain.arithmetic)
      else { return nil }
      return largestZ(of: replay, outputs, in: failure).map { Match(replay: replay, z: $0) }
    }.compactMap(\.self)
  }

  private func failure(for replay: SequentialReplay) -> SequentialFailure {
    let mixes =
      replay.mistake?.mixesSequences
      ?? (SequentialBatch(replay.sequential, whole.chain.input.shape) == nil)
    return mixes ? whole : sample
  }

  /// nil where something of the failing side is not reproduced, or nothing was compared.
  private func largestZ(
    of replay: SequentialReplay, _ outputs: SequentialOutput, in failure: SequentialFailure
  ) -> Double? {
    guard isNear(outputs, failure) else { return nil }
    // Another chain has noise of its own; that of its recurrent modules is hardly changed by
    // what is wrong in them.
    let own = replay.mistake == nil ? failure.limits(of: replay.sequential, outputs) : [:]
    var largest: Double?
    for (name, tensor) in failure.outputs {
      guard let exact = outputs[name], exact.shape == tensor.shape,
        let limits = own[name] ?? failure.limits(name)
      else { return nil }
      let difference = TensorDifference(of: tensor, from: exact, within: limits)
      guard difference.agrees else { return nil }
      largest = max(largest ?? 0, difference.noise?.largest?.value ?? 0)
    }
    return largest
  }

  /// Whether it is worth measuring its noise: each tensor is off by less than a hundredth
  /// of its largest element.
  private func isNear(_ outputs: SequentialOutput, _ failure: SequentialFailure) -> Bool {
    failure.outputs.allSatisfy { name, tensor in
      guard let exact = outputs[name], exact.shape == tensor.shape else { return false }
      let (found, wanted) = (tensor.elements(as: Double.self), exact.elements(as: Double.self))
      let largest = wanted.lazy.filter(\.isFinite).map { abs($0) }.max() ?? 0
      return zip(found, wanted).allSatisfy {
        $0.isFinite && $1.isFinite ? abs($0 - $1) <= largest / 100 : $0.isFinite == $1.isFinite
      }
    }
  }
}
