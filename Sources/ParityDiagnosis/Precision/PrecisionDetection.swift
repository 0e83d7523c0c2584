import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// Finds out whether outputs that do not follow from their weights were computed, or stored, more
/// coarsely than they say.
///
/// ```swift
/// let precision = PrecisionDetection(Evidence(failure))
/// precision.storage      // they are stored in a coarser type
/// precision.explanation  // they were computed in a way that an emulation reproduces
/// precision.suspicion    // their differences are as large as coarser rounding makes them
/// ```
///
/// - Complexity: O(17 forward passes over the sequences that are off most) for each way and each
///   coarser arithmetic that is tried. These sequences are enough to know.
struct PrecisionDetection {
  /// The evidence of all sequences: each of their numbers tells what it was stored in.
  private let whole: Evidence
  /// The evidence of the sequences that are off most.
  private let sample: Evidence

  /// How many multiplications one forward pass over the sample may take.
  private static let work = 5e7

  /// - Parameter whole: the evidence of outputs that have the right shapes.
  init(_ whole: Evidence) {
    self.whole = whole
    sample = whole.sample(work: Self.work)
  }

  private var arithmetic: Arithmetic { whole.chain.arithmetic }

  /// What to say where something coarser explains the outputs; nil where nothing does, and where
  /// the case says itself that it was computed in 16 bits or TF32.
  var explanation: Diagnosis? {
    if arithmetic == .float32, isOffBySubnormals, !sample.isRounding {
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

  /// What to say of outputs that are stored in a coarser type than the module computes in, where
  /// the rounding of that type is all that is wrong with them; nil for any others.
  var storage: Diagnosis? {
    guard let type = whole.outputs.named.first.flatMap({ Arithmetic(of: $0.tensor.elementType) }),
      type.unitRoundoff > arithmetic.unitRoundoff, agrees(with: estimate(RoundingModel(type)))
    else { return nil }
    return stored(in: [type])
  }

  /// What to say of outputs that torch.testing accepts, and that are right where sigmoid and tanh
  /// are absolutely accurate; nil for any others.
  var absoluteActivations: Diagnosis? {
    guard whole.stated?.activations != .absolute, whole.chain.activations == .relative,
      arithmetic == .float32 || arithmetic == .float64,
      whole.outputs.named.allSatisfy({ name, tensor in
        whole.exact[name].map {
          TensorDifference(of: tensor, from: $0, within: .torch(arithmetic)).agrees
        } ?? false
      }), let relative = estimate(RoundingModel(arithmetic)), !agrees(with: relative),
      let noise = estimate(RoundingModel(arithmetic, activations: .absolute)),
      agrees(with: noise), isOfActivations(differences(noise), differences(relative)),
      systematicShare(noise) <= Self.largestExplainedShare
    else { return nil }
    let agree = "the \(whole.side.rawValue) \(whole.side.verb("agrees", "agree"))"
    return Diagnosis(
      explanations: [
        .init(
          names: ["absolute-activations"],
          sentence: "\(agree) where sigmoid and tanh are accurate to some \(error) of 1, "
            + "as ONNX Runtime's are, and not of their result, as PyTorch's")
      ], undeclared: StatedComputation(activations: .absolute))
  }

  /// The share of the differences, in σ of some noise, that one number being off explains.
  private func systematicShare(_ noise: NoiseEstimate) -> Double {
    SystematicErrors(sample.chain).best(explaining: sample.outputs, exact: sample.exact) {
      noise[$0]?.limits.sigma
    }?.share ?? 0
  }

  /// Whether differences look like the errors of absolutely accurate activations: they stand out
  /// where a gate is nearly shut, and elsewhere are small; and they are not mostly of one sign.
  ///
  /// Of 117 failing results of ONNX Runtime 108 have both; of the same modules with c or h off by
  /// a factor at each step, or tanh, none.
  ///
  /// - Parameters:
  ///   - absolute: the differences in σ of absolutely accurate activations.
  ///   - relative: the same in σ of relatively accurate ones.
  private func isOfActivations(
    _ absolute: [TensorDifference], _ relative: [TensorDifference]
  ) -> Bool {
    let standsOut = relative.contains { difference in
      guard !difference.agrees, let noise = difference.noise else { return false }
      return (noise.largest?.value ?? 0) >= 3 * noise.rms
    }
    let isSmall = absolute.allSatisfy {
      ($0.noise?.rms ?? 0) <= 1 && ($0.noise?.largest?.value ?? 0) <= Self.largestOfActivations
    }
    return standsOut && isSmall
      && !absolute.contains { $0.isOfOneSign(beyond: Self.largestOneSign) }
  }

  /// Up to how many σ an error of absolutely accurate activations stands out. What barely passes
  /// is accepted where absolute accuracy was stated, and not a reason to state it.
  private static let largestOfActivations = 5.0

  /// Up to which share of the squared differences may be explained by one number being off.
  /// Rounding's have hardly any.
  private static let largestExplainedShare = 0.2

  /// Up to which share of their root mean square the errors of absolutely accurate activations are
  /// of one sign. In nine of ten tensors of ONNX Runtime's it is less; in 19 of 20 of a factor
  /// that is 5·10⁻⁷ off, which is as small, it is more.
  private static let largestOneSign = 0.5

  /// About how large the errors of an absolutely accurate sigmoid are.
  private var error: String { arithmetic == .float64 ? "3e-16" : "1.5e-7" }

  /// Coarser arithmetic whose rounding errors would be as large as the differences, where it is
  /// not known to be the reason: a weight that is off by a little looks the same.
  var suspicion: (sentence: String, arithmetic: Arithmetic)? {
    guard isOffNearlyEverywhere else { return nil }
    switch arithmetic {
    case .float32: return explaining(among: [.tf32, .float16, .bfloat16])
    case .float64: return explaining(among: [.float32, .float16, .bfloat16])
    case .float16, .bfloat16, .tf32: return nil
    }
  }

  /// Whether most elements of every tensor are off, as coarser arithmetic makes them; a mistake
  /// in one gate or direction does not. Elements that are 0, as padding and silent ReLUs, do not
  /// count.
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
  /// What to say where the emulation of one of these ways gives the outputs, or comes near to
  /// them.
  private func reproducing(among ways: [CoarserWay]) -> Diagnosis? {
    var best: (way: CoarserWay, residual: Double)?
    for way in ways {
      guard let noise = estimate(RoundingModel(.float32), way.emulation),
        noise.agreeingSteps == nil
      else { continue }
      let agrees = agrees(with: noise, emulated: true)
      // Small numbers that are flushed to zero vanish beside the rounding of larger ones, so the
      // difference that is left says nothing about them.
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
        way.name, "\(way.summary) reproduces the \(whole.side.rawValue)\(rest): \(way.advice)",
        StatedComputation(declaring: way.undeclared, way.storage, of: whole.side))
    }
  }

  /// The share of the difference that may be left where an emulation explains it but does not
  /// reproduce it within rounding. Where a sum is rounded coarsely, its last bit can decide to
  /// which side, and that bit is not known.
  private static let largestResidual = 0.125

  /// Whether the outputs are within some rounding noise of the right results, or of what an
  /// emulation gives.
  private func agrees(with noise: NoiseEstimate?, emulated: Bool = false) -> Bool {
    guard let noise else { return false }
    return sample.outputs.named.allSatisfy { name, tensor in
      guard let result = noise[name], let exact = sample.exact[name] else { return false }
      let center = emulated ? Tensor(result.values, shape: tensor.shape) : exact
      return TensorDifference(of: tensor, from: center, within: .noise(result.limits)).agrees
    }
  }

  /// The differences from the right results, in σ of some noise.
  private func differences(_ noise: NoiseEstimate) -> [TensorDifference] {
    sample.outputs.named.compactMap { name, tensor in
      guard let result = noise[name], let exact = sample.exact[name] else { return nil }
      return TensorDifference(of: tensor, from: exact, within: .noise(result.limits))
    }
  }

  /// Whether the outputs are off by so little that it vanishes beside all numbers but the
  /// smallest.
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

  /// The first of these arithmetics whose rounding errors are as large as the differences; they
  /// are given from the finest to the coarsest.
  private func explaining(
    among arithmetics: [Arithmetic]
  ) -> (sentence: String, arithmetic: Arithmetic)? {
    let coarser = arithmetics.first { arithmetic in
      let noise = estimate(RoundingModel(arithmetic, roundsOperands: true))
      guard let noise, noise.agreeingSteps == nil, agrees(with: noise) else { return false }
      return CoarseRounding(sample.chain, arithmetic).doubt(
        sample.outputs, exact: sample.exact, differences(noise)) == nil
    }
    return coarser.map { arithmetic in
      (
        "rounding as coarse as \(arithmetic)'s would explain it: if it was computed so, declare "
          + "that arithmetic", arithmetic
      )
    }
  }

  /// What to say where every number of the outputs is one of a coarser type; the first of these
  /// that holds them all, the coarsest first.
  private func stored(in arithmetics: [Arithmetic]) -> Diagnosis? {
    arithmetics.first(where: isStored).map { arithmetic in
      diagnosis(
        "stored-in-\(arithmetic)",
        "every number of the \(whole.side.rawValue) is a \(arithmetic): it was computed or stored so, "
          + "and that arithmetic is to be declared", StatedComputation(arithmetic: arithmetic))
    }
  }

  /// Whether the arithmetic holds every number of the outputs, one of which is not 0: zeros are
  /// of every type.
  private func isStored(in arithmetic: Arithmetic) -> Bool {
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
    _ name: String, _ sentence: String, _ undeclared: StatedComputation?
  ) -> Diagnosis {
    Diagnosis(
      explanations: [.init(names: [name], sentence: sentence)], undeclared: undeclared)
  }

  /// The rounding noise of the sample. It is nil where the chain cannot be run, which a right
  /// chain always can.
  private func estimate(
    _ rounding: RoundingModel, _ emulation: Emulation? = nil
  ) -> NoiseEstimate? {
    try? NoiseEstimate.measure(
      ChainVariant(sample.chain, emulation: emulation), rounding, keepsValues: emulation != nil)
  }
}
