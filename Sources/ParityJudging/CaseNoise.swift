package import RecurrentModel
package import RoundingNoise
package import TensorComparison
package import TensorCore

/// The rounding errors that the sides of a case's comparison are expected to have.
package struct CaseNoise: Sendable {
  private let arithmetic: Arithmetic
  /// In the case's own arithmetic.
  private let reference: NoiseEstimate
  /// In what the subject computes in: our engine, or somebody's implementation.
  private let subject: NoiseEstimate
  /// The oracle's doubles round too, which shows beside doubles alone.
  private let oracle: NoiseEstimate?

  /// - Parameters:
  ///   - variant: what is computed.
  ///   - subjectArithmetic: what the subject computes in, its parameters and inputs rounded
  ///     to it; nil for what our engine would.
  ///   - sample: which sequences of the batch are measured; nil for all.
  ///   - keepsValues: whether `values` are kept.
  /// - Throws: `InvalidValue` where a module can't take what one before hands on wrongly.
  /// - Complexity: O(17 forward passes), twice that for 16-bit arithmetic and TF32.
  package init(
    _ variant: ChainVariant, subject subjectArithmetic: Arithmetic? = nil, replicas: Int = 16,
    sample: NoiseEstimate.Sample? = nil, keepsValues: Bool = false
  ) throws(InvalidValue) {
    let arithmetic = variant.chain.arithmetic
    func estimate(_ own: Arithmetic) throws(InvalidValue) -> NoiseEstimate {
      let isCoarser = own.unitRoundoff > arithmetic.unitRoundoff
      return try NoiseEstimate.measure(
        variant, RoundingModel(own, roundsOperands: isCoarser), replicas: replicas,
        sample: sample, keepsValues: keepsValues)
    }
    let own: Arithmetic =
      subjectArithmetic ?? (arithmetic.computation == .float64 ? .float64 : .float32)
    self.arithmetic = arithmetic
    reference = try estimate(arithmetic)
    subject = arithmetic == own ? reference : try estimate(own)
    oracle = own == .float64 ? subject : arithmetic == .float64 ? reference : nil
  }

  /// - Parameters:
  ///   - name: of a result.
  ///   - exact: the oracle's tensor.
  ///   - stored: what the reference's tensor is stored in.
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
      }
    }
    return own(sides.actual).combined(with: own(sides.expected))
  }

  /// What the errors are about; nil unless they were kept.
  package func values(_ name: String) -> Tensor? {
    reference[name].flatMap { result in
      result.values.count == result.shape.elementCount
        ? Tensor(result.values, shape: result.shape) : nil
    }
  }

  /// Of two runs of our engine that sum in different orders.
  func limitsOfTwoRuns(_ name: String, count: Int) -> Limits? {
    subject[name].flatMap { own in
      own.limits.sigma.count == count ? .noise(own.limits.combined(with: own.limits)) : nil
    }
  }

  /// How many steps the reference can be judged for; nil for all.
  package var agreeingSteps: Int? { reference.agreeingSteps }

  /// A result that is stored in a coarser type than it was computed in is rounded
  /// once more.
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
