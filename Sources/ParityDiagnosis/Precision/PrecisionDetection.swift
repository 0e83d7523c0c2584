import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// Finds out whether outputs that do not follow from their weights were computed more
/// coarsely than they say.
///
/// The sequences that are off most are enough to know: O(17 forward passes over them
/// for each way, and for each coarser arithmetic).
struct PrecisionDetection {
  /// Of all sequences: each number tells what it was stored in.
  private let whole: Evidence
  /// Of those that are off most.
  private let sample: Evidence

  /// The multiplications of one forward pass over the sample.
  private static let work = 5e7

  /// - Parameter whole: outputs that have the oracle's shapes.
  init(_ whole: Evidence) {
    self.whole = whole
    sample = whole.sample(work: Self.work)
  }

  private var arithmetic: Arithmetic { whole.chain.arithmetic }

  /// What to tell; nil where nothing coarser explains the outputs, or where the case
  /// says itself that it was computed more coarsely.
  var explanation: Diagnosis? {
    if arithmetic == .float32, isOffBySubnormals {
      return reproducing(among: CoarserWay.all.filter(\.emulation.flushesSubnormals))
    }
    guard isOffNearlyEverywhere else { return nil }
    switch arithmetic {
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
  var storage: Diagnosis? {
    guard let type = whole.outputs.named.first.flatMap({ Arithmetic(of: $0.tensor.elementType) }),
      type.unitRoundoff > arithmetic.unitRoundoff, agrees(with: estimate(RoundingModel(type)))
    else { return nil }
    return stored(in: [type])
  }

  /// Coarser arithmetic whose rounding would be as large, where that is not known to be
  /// the reason: a weight that is off by a little looks alike.
  var suspicion: (sentence: String, arithmetic: Arithmetic)? {
    guard isOffNearlyEverywhere else { return nil }
    switch arithmetic {
    case .float32: return explaining(among: [.tf32, .float16, .bfloat16])
    case .float64: return explaining(among: [.float32, .float16, .bfloat16])
    case .float16, .bfloat16, .tf32: return nil
    }
  }

  /// Whether most elements of every tensor are off (padding and silent ReLUs aside), as
  /// coarser arithmetic makes them, and a mistake in one gate or direction does not.
  private var isOffNearlyEverywhere: Bool {
    guard let noise = estimate(RoundingModel(arithmetic)) else { return false }
    return sample.outputs.named.allSatisfy { name, tensor in
      guard let exact = sample.exact[name], let limits = noise[name]?.limits else { return false }
      let difference = TensorDifference(of: tensor, from: exact, within: .noise(limits))
      return difference.mismatched.count * 4 >= difference.measured.nonZeroCount * 3
    }
  }
}

extension PrecisionDetection {
  /// The way whose emulation meets the outputs, or comes nearest to them.
  private func reproducing(among ways: [CoarserWay]) -> Diagnosis? {
    var best: (way: CoarserWay, residual: Double)?
    for way in ways {
      guard let noise = estimate(RoundingModel(.float32), way.emulation),
        noise.agreeingSteps == nil
      else { continue }
      let agrees = agrees(with: noise, emulated: true)
      // What is flushed vanishes beside the rounding of larger numbers.
      let residual =
        way.emulation.flushesSubnormals && agrees
        ? 0 : sample.residual { name in noise[name].map { Tensor($0.values, shape: $0.shape) } }
      let isReproduced = residual <= (agrees ? 0.5 : Self.largestResidual)
      // Halved at least, so that of two that do as well the first is named.
      if isReproduced, residual < best.map({ $0.residual / 2 }) ?? .infinity {
        best = (way, residual)
      }
    }
    return best.map { way, residual in
      let percent = Int((residual * 100).rounded())
      let rest = residual < 0.01 ? "" : " but for \(percent)% of the difference"
      return diagnosis(
        way.identifier, "\(way.name) reproduces the \(whole.side.rawValue)\(rest): \(way.advice)",
        way.undeclared)
    }
  }

  /// What may be left where an emulation explains a difference: when a sum is rounded
  /// coarsely, its last bit can decide to which side, and that bit is not known.
  private static let largestResidual = 0.125

  /// Whether the outputs are within a noise of the oracle's, or of what an emulation makes.
  private func agrees(with noise: NoiseEstimate?, emulated: Bool = false) -> Bool {
    guard let noise else { return false }
    return sample.outputs.named.allSatisfy { name, tensor in
      guard let result = noise[name], let exact = sample.exact[name] else { return false }
      let center = emulated ? Tensor(result.values, shape: tensor.shape) : exact
      return TensorDifference(of: tensor, from: center, within: .noise(result.limits)).agrees
    }
  }

  /// Whether what the outputs are off by vanishes beside any number but the smallest.
  private var isOffBySubnormals: Bool {
    whole.outputs.named.allSatisfy { name, tensor in
      guard let exact = whole.exact[name] else { return false }
      return (0..<exact.count).allSatisfy { offset in
        let expected = exact.double(at: offset)
        let difference = abs(tensor.double(at: offset) - expected)
        return difference <= max(0x1p-100, 0x1p-18 * abs(expected)) || !expected.isFinite
      }
    }
  }

  /// The finest arithmetic whose rounding errors are as large as what the outputs are off by.
  private func explaining(
    among arithmetics: [Arithmetic]
  ) -> (sentence: String, arithmetic: Arithmetic)? {
    let coarser = arithmetics.first { arithmetic in
      let noise = estimate(RoundingModel(arithmetic, roundsOperands: true))
      return noise?.agreeingSteps == nil && agrees(with: noise)
    }
    return coarser.map { arithmetic in
      (
        "rounding as coarse as \(arithmetic)'s would explain it: if it was computed so, declare "
          + "that arithmetic", arithmetic
      )
    }
  }

  /// The coarsest type that holds every number of the outputs.
  private func stored(in arithmetics: [Arithmetic]) -> Diagnosis? {
    arithmetics.first(where: isStored).map { arithmetic in
      diagnosis(
        "stored-in-\(arithmetic)",
        "every number of the \(whole.side.rawValue) is a \(arithmetic): it was computed or stored so, "
          + "and that arithmetic is to be declared", arithmetic)
    }
  }

  private func isStored(in arithmetic: Arithmetic) -> Bool {
    // Zeros are of every type.
    let holdsNumbers = whole.outputs.named.contains { _, tensor in
      (0..<tensor.count).contains { tensor.double(at: $0) != 0 }
    }
    return holdsNumbers
      && whole.outputs.named.allSatisfy { _, tensor in
        (0..<tensor.count).allSatisfy { offset in
          let element = tensor.double(at: offset)
          return element.isNaN || arithmetic.nearest(to: element) == element
        }
      }
  }

  private func diagnosis(
    _ name: String, _ sentence: String, _ undeclared: Arithmetic?
  ) -> Diagnosis {
    Diagnosis(
      explanations: [.init(names: [name], sentence: sentence)], undeclared: undeclared)
  }

  /// nil never, of a chain that is right.
  private func estimate(
    _ rounding: RoundingModel, _ emulation: Emulation? = nil
  ) -> NoiseEstimate? {
    try? NoiseEstimate.measure(
      ChainVariant(sample.chain, emulation: emulation), rounding, keepsValues: emulation != nil)
  }
}
