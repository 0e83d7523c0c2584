package import RecurrentModel
package import RoundingNoise
package import TensorComparison
package import TensorCore

/// The rounding errors that the three sides of a case are expected to have, from which the limits
/// of each comparison are made.
///
/// ```swift
/// let noise = try CaseNoise(ChainVariant(chain))
/// let limits = noise.limits(
///   SidePair(.engine, against: .reference), "output", exact: exact, stored: .float32)
/// ```
///
/// A side's own noise is a `NoiseEstimate`. Two sides that are compared both round, so the σ of
/// their difference is √(σ₁² + σ₂²).
package struct CaseNoise: Sendable {
  private let arithmetic: Arithmetic
  /// How the subject computes.
  private let subjectModel: SideModel
  /// The noise of the reference, which was computed in the case's own arithmetic.
  private let reference: NoiseEstimate
  /// The noise of the subject, in what our engine or the implementation that made the outputs
  /// computes in.
  private let subject: NoiseEstimate
  /// The noise of the oracle. It computes in doubles, whose rounding shows only beside another
  /// side's doubles; nil where no other side has any.
  private let oracle: NoiseEstimate?

  /// - Parameters:
  ///   - variant: what is computed.
  ///   - stated: what is known of how the subject computes, with parameters and inputs rounded to
  ///     its arithmetic; nil for how our engine computes this case.
  ///   - replicas: how many, a multiple of 16.
  ///   - sample: the sequences that are measured for the whole batch; nil to measure all.
  ///   - keepsValues: whether `values(_:)` is going to be asked for.
  /// - Throws: `InvalidValue` where a mistake in the variant makes a module hand on what the next
  ///   one cannot take.
  /// - Complexity: O(17 forward passes) with 16 replicas, and twice that where reference and
  ///   subject compute differently, as they do for 16-bit types and TF32.
  package init(
    _ variant: ChainVariant, subject stated: StatedComputation? = nil, replicas: Int = 16,
    sample: NoiseEstimate.Sample? = nil, keepsValues: Bool = false
  ) throws(InvalidValue) {
    let chain = variant.chain
    let own = SideModel(
      arithmetic: stated?.arithmetic
        ?? (chain.arithmetic.computation == .float64 ? .float64 : .float32),
      activations: stated?.activations ?? .relative)
    try self.init(variant, subject: own) { model, _ throws(InvalidValue) in
      try model.estimate(variant, replicas: replicas, sample: sample, keepsValues: keepsValues)
    }
  }

  /// The same noise with some sequences measured again.
  ///
  /// - Parameters:
  ///   - variant: what was computed.
  ///   - sequences: which are measured again, ascending.
  ///   - replicas: how many measure them.
  func sharpened(
    _ variant: ChainVariant, _ sequences: [Int], replicas: Int
  ) throws(InvalidValue) -> CaseNoise {
    try CaseNoise(variant, subject: subjectModel) { model, isOfSubject throws(InvalidValue) in
      let sample = NoiseEstimate.Sample(
        sequences, others: .keeping(isOfSubject ? subject : reference))
      return try model.estimate(
        variant, replicas: replicas, sample: variant.chain.shapes.batch == nil ? nil : sample)
    }
  }

  /// - Parameter estimate: measures the noise of a side; it is told whether that is the subject.
  private init(
    _ variant: ChainVariant, subject: SideModel,
    estimate: (SideModel, _ isOfSubject: Bool) throws(InvalidValue) -> NoiseEstimate
  ) throws(InvalidValue) {
    let chain = variant.chain
    let own = SideModel(arithmetic: chain.arithmetic, activations: chain.activations)
    arithmetic = chain.arithmetic
    subjectModel = subject
    reference = try estimate(own, false)
    self.subject = own == subject ? reference : try estimate(subject, true)
    oracle =
      subject.arithmetic == .float64
      ? self.subject : chain.arithmetic == .float64 ? reference : nil
  }

  /// The noise of the difference between two sides.
  ///
  /// - Parameters:
  ///   - sides: the two that are compared.
  ///   - name: the result's.
  ///   - exact: the oracle's tensor of that name.
  ///   - stored: the type that the reference's tensor is stored in.
  package func limits(
    _ sides: SidePair, _ name: String, exact: Tensor, stored: Arithmetic
  ) -> NoiseLimits {
    func own(_ side: Side) -> NoiseLimits {
      let none = NoiseLimits(
        sigma: [Double](repeating: 0, count: exact.count),
        isJudged: [Bool](repeating: true, count: exact.count))
      return switch side {
      case .reference: storing(reference[name]?.limits ?? none, exact, stored)
      case .oracle: oracle?[name]?.limits ?? none
      case .engine, .outputs: subject[name]?.limits ?? none
      case .ownSteps: none
      }
    }
    return own(sides.actual).combined(with: own(sides.expected))
  }

  /// What the chain gives without rounding errors, by the result's name; nil unless it was kept.
  package func values(_ name: String) -> Tensor? {
    reference[name].flatMap { result in
      result.values.count == result.shape.elementCount
        ? Tensor(result.values, shape: result.shape) : nil
    }
  }

  /// The limits for two runs of our engine that sum in different orders; nil where the result is
  /// not of `count` elements.
  func limitsOfTwoRuns(_ name: String, count: Int) -> Limits? {
    subject[name].flatMap { own in
      own.limits.sigma.count == count ? .noise(own.limits.combined(with: own.limits)) : nil
    }
  }

  /// How a side computes.
  func model(of side: Side, in chain: Chain) -> SideModel {
    side.isSubject
      ? subjectModel : SideModel(arithmetic: arithmetic, activations: chain.activations)
  }

  /// For each element of a result, whether nothing can be said of it because rounding has been
  /// amplified too much; nil for a result that was not measured.
  func lostElements(_ name: String) -> [Bool]? {
    guard let own = reference[name]?.limits, let other = subject[name]?.limits else { return nil }
    return zip(own.isJudged, other.isJudged).map { !$0 || !$1 }
  }

  /// Whether the reference or the subject has a state that is lost. A subject in coarser arithmetic
  /// can lose one that the reference keeps.
  var losesStates: Bool { reference.agreeingSteps != nil || subject.agreeingSteps != nil }

  /// How many steps the reference can be judged for, until a state is lost; nil for all of them.
  package var agreeingSteps: Int? { reference.agreeingSteps }

  /// The noise of a result that is stored in a coarser type than it was computed in, and so was
  /// rounded once more.
  private func storing(
    _ noise: NoiseLimits, _ exact: Tensor, _ stored: Arithmetic
  ) -> NoiseLimits {
    guard stored.unitRoundoff > arithmetic.unitRoundoff else { return noise }
    let model = RoundingModel(stored)
    let rounding = (0..<exact.count).map { offset in
      noise.sigma[offset] == 0 ? 0 : model.rounding(exact.double(at: offset)) / model.inflation
    }
    return noise.combined(with: NoiseLimits(sigma: rounding, isJudged: noise.isJudged))
  }
}

/// How a side computes: what its rounding noise depends on, beside what it computes.
struct SideModel: Sendable, Equatable {
  let arithmetic: Arithmetic
  let activations: ActivationAccuracy

  /// The noise of a side that computes so.
  ///
  /// - Parameter forcing: the side's results, where each of its steps is measured by itself.
  func estimate(
    _ variant: ChainVariant, replicas: Int, sample: NoiseEstimate.Sample? = nil,
    keepsValues: Bool = false, forcing: Results? = nil
  ) throws(InvalidValue) -> NoiseEstimate {
    let isCoarser = arithmetic.unitRoundoff > variant.chain.arithmetic.unitRoundoff
    return try NoiseEstimate.measure(
      variant,
      RoundingModel(arithmetic, roundsOperands: isCoarser, activations: activations),
      replicas: replicas, sample: sample, keepsValues: keepsValues, forcing: forcing)
  }
}
