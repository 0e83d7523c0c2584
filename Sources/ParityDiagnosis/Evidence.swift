import ParityJudging
import RealModule
import RecurrentModel
import TensorComparison
import TensorCore

/// What a failing side says, held against replays of the same model.
struct Evidence: Sendable {
  let call: RecurrentCall
  /// Of the failing side.
  let outputs: RecurrentOutput
  /// What the module computes.
  let exact: RecurrentOutput
  /// Which of the case's sequences these are.
  let sequences: [Int]

  /// The multiplications, and what weighs as much, of one forward pass.
  var work: Double { call.work + 1e4 }

  /// How much of the failing side's difference from the right result is left between it
  /// and what a replay gives; infinite where the replay's shapes are others, or where the
  /// two are not finite in the same places.
  func left(by replay: Replay) -> Double {
    let values = replay.outputs(of: exact)
    var (left, whole) = (0.0, 0.0)
    for (index, (_, given)) in outputs.named.enumerated() {
      let replayed = values.named[index].tensor
      guard replayed.shape == given.shape else { return .infinity }
      let right = exact.named[index].tensor
      let isComparable = right.shape == given.shape
      for offset in 0..<given.count {
        let (own, other) = (given.double(at: offset), replayed.double(at: offset))
        guard own.isFinite, other.isFinite else {
          if own == other || own.isNaN && other.isNaN { continue }
          return .infinity
        }
        left = .hypot(left, own - other)
        let expected = isComparable ? right.double(at: offset) : 0
        if expected.isFinite { whole = .hypot(whole, own - expected) }
      }
    }
    let share = left / whole
    return share.isNaN ? .infinity : share
  }

  /// The largest difference that a replay leaves, in σ of the rounding noise that it has
  /// itself; nil where that is beyond the noise rule, or too little can be judged.
  func largestZ(under replay: Replay) -> (largest: Double, rms: Double)? {
    let (values, noise) = (replay.run(.values), replay.noise(storedLike: outputs))
    var (largest, rms) = (0.0, 0.0)
    for (index, (_, given)) in outputs.named.enumerated() {
      let (expected, limits) = (values.named[index].tensor, noise[index])
      guard given.shape == expected.shape, limits.judgedShare >= Self.neededShare else {
        return nil
      }
      let difference = TensorDifference(of: given, from: expected, within: .noise(limits))
      guard difference.agrees else { return nil }
      largest = max(largest, difference.noise?.largest?.value ?? 0)
      rms = max(rms, difference.noise?.rms ?? 0)
    }
    return (largest, rms)
  }

  private static let neededShare = 0.5
}
