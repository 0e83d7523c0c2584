import ParityFixtures
package import ParityJudging
import RecurrentModel
import TensorComparison
import TensorCore

extension Diagnostician {
  /// What reproduces the failing side of a chain: each known mistake by itself, around its
  /// recurrent modules and in all of them; else what is wrong in the first module that
  /// differs, where that is a recurrent one. O(one forward pass each).
  package func diagnose(_ failure: SequentialFailure) -> Diagnosis? {
    guard effort != .off, failure.chain.input.count > 0 else { return nil }
    let replays = SequentialReplay.all(of: failure.chain.sequential)
    let found = concurrentMap(replays.count) { index -> Double? in
      guard let outputs = try? replays[index].outputs(for: failure.chain.input) else { return nil }
      return largestZ(of: replays[index], outputs, in: failure)
    }
    let matches = zip(replays, found).compactMap { replay, z in z.map { (replay, z: $0) } }
    guard let best = matches.map(\.z).min() else {
      return failure.firstDiffering.flatMap { module, own in diagnose(own)?.within(module) }
        ?? Diagnosis(explanations: [])
    }
    let likely = matches.filter { $0.z <= best * Self.alike }
    return Diagnosis(
      explanations: likely.map { replay, z in
        explanation(replay, z, failure.side)
      })
  }

  /// Two that are this near each other explain equally: each is held to noise that was
  /// measured on its own.
  private static let alike = 2.0

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
