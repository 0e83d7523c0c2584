import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// The results of a failing side, against which replays of the same chain are held.
///
/// ```swift
/// let evidence = Evidence(failure)
/// evidence.residual(of: replay)         // 0.02: 2 % of the difference is left
/// evidence.largestZ(under: replay)      // (largest: 1.5, rms: 0.9), or nil
/// ```
///
/// A small residual is quick to find and says that a mistake may be the right one; only
/// `largestZ(under:)`, which measures the replay's rounding noise, says that it is.
struct Evidence: Sendable {
  let chain: Chain
  let side: Side
  /// The results of the failing side; of a chain's intermediate results some may be missing.
  let outputs: Results
  /// The right results: what the chain computes, in doubles.
  let exact: Results
  /// Which of the case's sequences these are.
  let sequences: [Int]
  /// How the failing side was computed, where that is coarser than what the case asks for, or
  /// with less accurate activations; nil otherwise.
  let stated: StatedComputation?

  /// `outputs` in doubles.
  private let given: [GivenTensor]
  /// The largest finite difference between `outputs` and `exact`. Differences are divided by it,
  /// so that no square of one overflows or underflows.
  private let scale: Double
  /// The sum of the squares of the differences between `outputs` and `exact`, in squares of
  /// `scale`.
  private let squares: Double

  /// The evidence of all sequences.
  init(_ failure: Failure) {
    chain = failure.chain
    side = failure.side
    outputs = failure.outputs
    exact = failure.oracle
    sequences = Array(0..<(failure.chain.shapes.batch?.size ?? 1))
    let own = failure.chain.arithmetic
    var stated = failure.stated
    if (stated.arithmetic?.unitRoundoff ?? 0) <= own.unitRoundoff { stated.arithmetic = nil }
    self.stated = stated == StatedComputation() ? nil : stated
    (given, scale, squares) = GivenTensor.all(outputs, exact)
  }

  private init(_ whole: Evidence, _ part: Chain, _ batch: ChainBatch, _ sequences: [Int]) {
    chain = part
    side = whole.side
    outputs = whole.outputs.selecting(sequences: sequences, batch)
    exact = whole.exact.selecting(sequences: sequences, batch)
    self.sequences = sequences
    stated = whole.stated
    (given, scale, squares) = GivenTensor.all(outputs, exact)
  }

  /// How much of the failing side's difference from the right results is left between it and what
  /// a replay gives: the root mean square of the one over that of the other. It is 0 where the
  /// replay gives the outputs, and 1 where it is as far off as the right results are; infinite
  /// where the shapes differ, or where the two are not finite in the same places.
  ///
  /// - Complexity: O(one forward pass).
  func residual(of replay: Replay) -> Double {
    guard let results = try? replay.results(of: exact) else { return .infinity }
    return residual { results[$0] }
  }

  /// The same for any results.
  ///
  /// - Parameter values: the tensor that is computed in the place of the failing side's, by its
  ///   name.
  func residual(_ values: (String) -> Tensor?) -> Double {
    var residual = 0.0
    for given in given {
      guard let own = values(given.name), own.shape == given.shape,
        let squares = given.squares(from: own, scale: scale)
      else { return .infinity }
      residual += squares
    }
    let share = (residual / squares).squareRoot()
    return share.isNaN ? .infinity : share
  }

  /// The largest difference, and the root mean square of all differences, between the failing
  /// side and what a replay gives, in σ of the replay's own rounding noise. It is nil where the
  /// replay does not give these outputs by the noise rule, and where too little can be judged.
  ///
  /// - Complexity: O(17 forward passes).
  func largestZ(under replay: Replay) -> (largest: Double, rms: Double)? {
    guard let all = expected(of: replay) else { return nil }
    var (largest, rms) = (0.0, 0.0)
    for (name, given) in outputs.named {
      guard let (expected, limits) = all[name], given.shape == expected.shape else { return nil }
      guard limits.judgedShare >= Self.neededShare else { return nil }
      let difference = TensorDifference(of: given, from: expected, within: .noise(limits))
      guard difference.agrees else { return nil }
      largest = max(largest, difference.noise?.largest?.value ?? 0)
      rms = max(rms, difference.noise?.rms ?? 0)
    }
    return (largest, rms)
  }

  /// Whether the failing side is within the rounding noise of the right results: then its case
  /// is held to less than rounding makes.
  ///
  /// - Complexity: O(17 forward passes).
  var isRounding: Bool { largestZ(under: Replay(chain)) != nil }

  /// The share of each tensor's elements that must be judged.
  private static let neededShare = 0.5

  /// The rounding noise of a variant; nil where a mistake makes a module hand on what the next
  /// one cannot take.
  ///
  /// - Complexity: O(17 forward passes).
  func noise(of variant: ChainVariant) -> CaseNoise? {
    try? CaseNoise(variant, subject: stated, keepsValues: true)
  }

  /// How far a tensor of the failing side may be from what a variant computes.
  ///
  /// - Parameter exact: what the variant computes, without rounding errors.
  func limits(
    _ noise: CaseNoise, _ name: String, _ given: Tensor, exact: Tensor
  ) -> NoiseLimits {
    let sides = SidePair(stated == nil ? .reference : .outputs, against: .oracle)
    let limits = noise.limits(
      sides, name, exact: exact, stored: Arithmetic(of: given.elementType) ?? chain.arithmetic)
    return NoiseLimits(
      sigma: limits.sigma, isJudged: limits.isJudged, independentCount: limits.independentCount)
  }
}

/// A tensor of a failing side, in doubles.
private struct GivenTensor: Sendable {
  let name: String
  let shape: Shape
  let values: [Double]

  /// The tensors of a side; the largest of their finite differences from the right ones; and the
  /// sum of the squares of these differences, in squares of the largest.
  static func all(_ outputs: Results, _ exact: Results) -> ([GivenTensor], Double, Double) {
    let all = outputs.named.map { name, tensor in
      GivenTensor(name: name, shape: tensor.shape, values: tensor.elements())
    }
    let differences = all.flatMap { given -> [Double] in
      guard let right = exact[given.name], right.shape == given.shape else { return given.values }
      let expected: [Double] = right.elements()
      return zip(given.values, expected).map { $1.isFinite ? $0 - $1 : 0 }
    }.filter(\.isFinite)
    let scale = differences.reduce(0) { max($0, abs($1)) }
    return (all, scale, differences.reduce(0) { $0 + ($1 / scale) * ($1 / scale) })
  }

  /// The sum of the squares of the differences from another tensor, in squares of `scale`; nil
  /// where the two are not finite in the same places.
  func squares(from other: Tensor, scale: Double) -> Double? {
    other.withElements(as: Double.self) { other in
      var sum = 0.0
      for (own, other) in zip(values, other) {
        guard own.isFinite, other.isFinite else {
          if own == other || own.isNaN && other.isNaN { continue }
          return nil
        }
        let difference = (own - other) / scale
        sum += difference * difference
      }
      return sum
    }
  }
}

// MARK: - Some of the sequences

extension Evidence {
  /// The evidence of the sequences that are off most: as many as a forward pass of `work`
  /// multiplications takes, but enough that two mistakes can be told apart. In a packed batch,
  /// the longest sequence and a shorter one are among them. It is the whole evidence where these
  /// are all sequences, and where the chain mixes them.
  ///
  /// - Complexity: O(elements).
  func sample(work: Double) -> Evidence {
    guard let batch = chain.shapes.batch, batch.size > 0 else { return self }
    let results = max(1, outputs.named.reduce(0) { $0 + $1.tensor.count } / batch.size)
    let least = max(
      chain.input.packing == nil ? 1 : 2, (Self.leastResults + results - 1) / results)
    let count = max(least, Int(min(work / (chain.work / Double(batch.size)), Double(batch.size))))
    guard count < batch.size else { return self }
    let off = outputs.differences(from: exact, batch)
    let order = off.indices.sorted { (off[$1], $0) < (off[$0], $1) }
    let lengths = chain.input.packing?.lengths
    var chosen = Set(order.prefix(lengths == nil ? count : count - 2))
    if let lengths, let longest = lengths.indices.max(by: { lengths[$0] < lengths[$1] }) {
      chosen.insert(longest)
      if let shorter = order.first(where: { lengths[$0] < lengths[longest] }) {
        chosen.insert(shorter)
      }
    }
    for sequence in order where chosen.count < count { chosen.insert(sequence) }
    let sequences = chosen.sorted()
    guard let part = chain.selecting(sequences: sequences) else { return self }
    return Evidence(self, part, batch, sequences)
  }

  /// How many numbers a sample must have at least: fewer could be reproduced by chance.
  private static let leastResults = 16
}
