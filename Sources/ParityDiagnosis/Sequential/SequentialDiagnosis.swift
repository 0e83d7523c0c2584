import ParityFixtures
package import ParityJudging
import RecurrentModel
import TensorComparison
import TensorCore

extension Diagnostician {
  /// What reproduces the failing side of a chain: each known mistake by itself, around its
  /// recurrent modules and in them. O(one forward pass each).
  package func diagnose(_ failure: SequentialFailure) -> Diagnosis? {
    guard effort != .off, failure.chain.input.count > 0 else { return nil }
    let replays = SequentialReplay.all(of: failure.chain.sequential)
    let found = concurrentMap(replays.count) { index -> Double? in
      guard let outputs = try? replays[index].outputs(for: failure.chain.input) else { return nil }
      return largestZ(of: outputs, in: failure)
    }
    let matches = zip(replays, found).compactMap { replay, z in z.map { (replay, z: $0) } }
    guard let best = matches.map(\.z).min() else { return nil }
    let likely = matches.filter { $0.z <= best * Self.alike }
    return Diagnosis(
      explanations: likely.map { replay, z in
        explanation(replay, z, failure.side)
      })
  }

  /// Two that are this near each other explain equally.
  private static let alike = 1.05

  /// nil where something of the failing side is not reproduced, or nothing was compared.
  private func largestZ(
    of outputs: SequentialOutput, in failure: SequentialFailure
  ) -> Double? {
    var largest: Double?
    for (name, tensor) in failure.outputs {
      guard let exact = outputs[name], exact.shape == tensor.shape,
        let limits = failure.limits(name)
      else { return nil }
      let difference = TensorDifference(of: tensor, from: exact, within: limits)
      guard difference.agrees else { return nil }
      largest = max(largest ?? 0, difference.noise?.largest?.value ?? 0)
    }
    return largest
  }

  private func explanation(
    _ replay: SequentialReplay, _ z: Double, _ side: Failure.Side
  ) -> Diagnosis.Explanation {
    let verb = side == .outputs ? "are" : "is"
    return Diagnosis.Explanation(
      names: [replay.name],
      sentence: "the \(side.rawValue) \(verb) reproduced to \((z * 10).rounded() / 10)σ with, in "
        + "\(replay.module.name) (\(replay.module.className)), \(replay.deed): \(replay.advice)")
  }
}
