import RealModule
import RecurrentModel
import TensorComparison
import TensorCore

/// Finds out whether outputs that do not follow from their weights were computed more
/// coarsely than they say.
///
/// The sequences that are off most are enough to know: O(17 forward passes over them
/// for each way, and for each coarser arithmetic).
package struct PrecisionDetection {
  private let side: Failure.Side
  private let call: RecurrentCall
  private let reference: RecurrentOutput
  private let oracle: RecurrentOutput
  private let sequences: [Int]

  /// The multiplications of one forward pass over the sample.
  private static let work = 5e7

  /// - Parameter failure: whose outputs have the oracle's shapes.
  package init(_ failure: Failure) {
    side = failure.side
    call = failure.call
    reference = failure.outputs
    oracle = failure.oracle
    let count = SequenceSample.sequences(of: call, work: Self.work, least: 1).count
    let off = SequenceDifferences.totals(reference, from: oracle, call.input.outputLayout)
    sequences = off.indices.sorted { (off[$1], $0) < (off[$0], $1) }.prefix(count).sorted()
  }

  /// What to tell; nil where nothing coarser explains the outputs, or where the case
  /// says itself that it was computed more coarsely.
  package var explanation: Diagnosis.Explanation? {
    if call.arithmetic == .float32, isOffBySubnormals {
      return reproducing(among: CoarserWay.all.filter(\.emulation.flushesSubnormals))
    }
    guard isOffNearlyEverywhere else { return nil }
    switch call.arithmetic {
    case .float32:
      return stored(in: [.bfloat16, .float16])
        ?? reproducing(among: CoarserWay.all.filter { !$0.emulation.flushesSubnormals })
    case .float64:
      return stored(in: [.bfloat16, .float16, .float32])
    case .float16, .bfloat16, .tf32:
      return nil
    }
  }

  /// What to tell of outputs whose tensors are of a coarser type than the module computes
  /// in, where the rounding of that type is all that is wrong with them.
  package var storage: Diagnosis.Explanation? {
    guard let type = Arithmetic(of: reference.hN.elementType),
      type.unitRoundoff > call.arithmetic.unitRoundoff
    else { return nil }
    let noise = estimate(RoundingModel(type))
    let agrees = zip(reference.named, oracle.named).allSatisfy { reference, exact in
      guard let limits = noise.tensors[reference.name] else { return false }
      return TensorDifference(
        of: reference.tensor, from: exact.tensor, within: .noise(limits)
      ).agrees
    }
    return agrees ? stored(in: [type]) : nil
  }

  /// Coarser arithmetic whose rounding would be as large, where that is not known to be
  /// the reason: a weight that is off by a little looks alike.
  package var suspicion: String? {
    guard isOffNearlyEverywhere else { return nil }
    switch call.arithmetic {
    case .float32: return explaining(among: [.tf32, .float16, .bfloat16])
    case .float64: return explaining(among: [.float32, .float16, .bfloat16])
    case .float16, .bfloat16, .tf32: return nil
    }
  }

  /// Whether most elements of every tensor are off (padding and silent ReLUs aside), as
  /// coarser arithmetic makes them, and a mistake in one gate or direction does not.
  private var isOffNearlyEverywhere: Bool {
    let noise = estimate(RoundingModel(call.arithmetic))
    return zip(reference.named, oracle.named).allSatisfy { reference, exact in
      guard let limits = noise.tensors[reference.name] else { return false }
      let difference = TensorDifference(
        of: reference.tensor, from: exact.tensor, within: .noise(limits))
      return difference.mismatched.count * 4 >= difference.measured.nonZeroCount * 3
    }
  }
}

extension PrecisionDetection {
  /// The way whose emulation meets the reference, or comes nearest to it.
  private func reproducing(among ways: [CoarserWay]) -> Diagnosis.Explanation? {
    var best: (way: CoarserWay, left: Double)?
    for way in ways {
      let noise = estimate(RoundingModel(.float32, emulation: way.emulation))
      guard noise.agreeingSteps == nil else { continue }
      let agrees = agrees(with: noise)
      // What is flushed vanishes beside the rounding of larger numbers.
      let left = way.emulation.flushesSubnormals && agrees ? 0 : differenceLeft(by: noise)
      let isReproduced = left <= (agrees ? 0.5 : Self.largestLeft)
      // Halved at least, so that of two that do as well the first is named.
      if isReproduced, left < best.map({ $0.left / 2 }) ?? .infinity { best = (way, left) }
    }
    return best.map { way, left in
      let rest = left < 0.01 ? "" : " but for \(Int((left * 100).rounded()))% of the difference"
      return explanation(
        way.identifier, "\(way.name) reproduces the \(side.rawValue)\(rest): \(way.advice)")
    }
  }

  /// What may be left where an emulation explains a difference: when a sum is rounded
  /// coarsely, its last bit can decide to which side, and that bit is not known.
  private static let largestLeft = 0.125

  private func agrees(with noise: NoiseEstimate) -> Bool {
    reference.named.allSatisfy { name, tensor in
      guard let emulated = noise.values[name], let limits = noise.tensors[name] else {
        return false
      }
      let center = Tensor(emulated, shape: tensor.shape)
      return TensorDifference(of: tensor, from: center, within: .noise(limits)).agrees
    }
  }

  /// The root mean square of what is left of the reference's difference from the
  /// oracle, as a share of that; infinite where there was none to explain.
  private func differenceLeft(by noise: NoiseEstimate) -> Double {
    var (left, whole) = (0.0, 0.0)
    for (reference, exact) in zip(reference.named, oracle.named) {
      guard let emulated = noise.values[reference.name], let limits = noise.tensors[reference.name]
      else { continue }
      for offset in emulated.indices where limits.isJudged[offset] {
        let given = reference.tensor.double(at: offset)
        guard given.isFinite, emulated[offset].isFinite else { continue }
        left = .hypot(left, given - emulated[offset])
        whole = .hypot(whole, given - exact.tensor.double(at: offset))
      }
    }
    return whole > 0 ? left / whole : .infinity
  }

  /// Whether what the reference is off by vanishes beside any number but the
  /// smallest.
  private var isOffBySubnormals: Bool {
    zip(reference.named, oracle.named).allSatisfy { reference, exact in
      (0..<exact.tensor.count).allSatisfy { offset in
        let expected = exact.tensor.double(at: offset)
        let difference = abs(reference.tensor.double(at: offset) - expected)
        return difference <= max(0x1p-100, 0x1p-18 * abs(expected))
          || !expected.isFinite
      }
    }
  }

  /// The finest arithmetic whose rounding errors are as large as what the reference
  /// is off by.
  private func explaining(among arithmetics: [Arithmetic]) -> String? {
    let coarser = arithmetics.first { arithmetic in
      let noise = estimate(RoundingModel(arithmetic, roundsOperands: true))
      guard noise.agreeingSteps == nil else { return false }
      return zip(reference.named, oracle.named).allSatisfy { reference, exact in
        guard let limits = noise.tensors[reference.name] else { return false }
        return TensorDifference(
          of: reference.tensor, from: exact.tensor, within: .noise(limits)
        ).agrees
      }
    }
    return coarser.map { arithmetic in
      "rounding as coarse as \(arithmetic)'s would explain it: if it was computed so, "
        + CoarserWay.statement(of: arithmetic)
    }
  }

  /// The coarsest type that holds every number of the reference.
  private func stored(in arithmetics: [Arithmetic]) -> Diagnosis.Explanation? {
    arithmetics.first(where: isStored).map { arithmetic in
      explanation(
        "stored-in-\(arithmetic)",
        "every number of the \(side.rawValue) is a \(arithmetic): it was computed or stored so; "
          + CoarserWay.statement(of: arithmetic))
    }
  }

  private func isStored(in arithmetic: Arithmetic) -> Bool {
    // Zeros are of every type.
    let holdsNumbers = reference.named.contains { _, tensor in
      (0..<tensor.count).contains { tensor.double(at: $0) != 0 }
    }
    return holdsNumbers
      && reference.named.allSatisfy { _, tensor in
        (0..<tensor.count).allSatisfy { offset in
          let element = tensor.double(at: offset)
          return element.isNaN || arithmetic.nearest(to: element) == element
        }
      }
  }

  private func explanation(_ name: String, _ sentence: String) -> Diagnosis.Explanation {
    Diagnosis.Explanation(names: [name], sentence: sentence)
  }

  private func estimate(_ rounding: RoundingModel) -> NoiseEstimate {
    NoiseEstimate(call, rounding, sequences: sequences)
  }
}
