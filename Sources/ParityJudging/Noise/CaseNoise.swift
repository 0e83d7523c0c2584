package import RecurrentModel
package import TensorComparison
package import TensorCore

/// The rounding errors that the sides of a case's comparison are expected to have.
package struct CaseNoise {
  private let arithmetic: Arithmetic
  /// In the case's own arithmetic.
  private let reference: NoiseEstimate
  /// In what the subject computes in: our engine, or somebody's implementation.
  private let subject: NoiseEstimate
  /// The oracle's doubles round too, which shows beside doubles alone.
  private let oracle: NoiseEstimate?

  /// O(17 forward passes), twice that for 16-bit arithmetic and TF32.
  ///
  /// - Parameters:
  ///   - variant: what is computed in place of the module.
  ///   - subject: what the subject computes in, its parameters and inputs rounded to it;
  ///     nil for what our engine would.
  ///   - sample: which sequences of the batch are measured; the others borrow from them,
  ///     as the oracle's results tell. nil for all.
  package init(
    _ call: RecurrentCall, _ variant: ScanVariant = ScanVariant(),
    subject subjectArithmetic: Arithmetic? = nil, replicas: Int = 16,
    sample: (sequences: [Int], oracle: RecurrentOutput)? = nil
  ) {
    self.init(of: call.arithmetic, subject: subjectArithmetic, variant.emulation) {
      NoiseEstimate(
        call, $0, variant, replicas: replicas,
        sequences: sample?.sequences,
        unmeasured: sample.map { .borrowing($0.oracle) } ?? .unjudged)
    }
  }

  /// - Parameters:
  ///   - arithmetic: the case's own.
  ///   - estimate: measures the noise under a model of rounding.
  init<Failure: Error>(
    of arithmetic: Arithmetic, subject subjectArithmetic: Arithmetic?,
    _ emulation: Emulation? = nil, estimate: (RoundingModel) throws(Failure) -> NoiseEstimate
  ) throws(Failure) {
    func estimated(_ own: Arithmetic) throws(Failure) -> NoiseEstimate {
      let isCoarser = own.unitRoundoff > arithmetic.unitRoundoff
      return try estimate(
        RoundingModel(own, roundsOperands: isCoarser, emulation: emulation))
    }
    let own: Arithmetic =
      subjectArithmetic ?? (arithmetic.computation == .float64 ? .float64 : .float32)
    self.arithmetic = arithmetic
    reference = try estimated(arithmetic)
    subject = arithmetic == own ? reference : try estimated(own)
    oracle = own == .float64 ? subject : arithmetic == .float64 ? reference : nil
  }

  /// - Parameters:
  ///   - name: `output`, `h_n` or `c_n`.
  ///   - exact: the oracle's tensor.
  ///   - stored: what the reference's tensor is stored in.
  package func limits(
    _ sides: TensorFinding.Sides, _ name: String, exact: Tensor, stored: Arithmetic
  ) -> NoiseLimits {
    let none = NoiseLimits(
      sigma: [Double](repeating: 0, count: exact.count),
      isJudged: [Bool](repeating: true, count: exact.count))
    let subject = subject.tensors[name] ?? none
    let reference = storing(reference.tensors[name] ?? none, exact, stored)
    let oracle = oracle?.tensors[name] ?? none
    return switch sides {
    case .subjectAndReference: subject.combined(with: reference)
    case .referenceAndOracle: reference.combined(with: oracle)
    case .subjectAndOracle: subject.combined(with: oracle)
    }
  }

  /// Of two runs of our engine that sum in different orders.
  func limitsOfTwoRuns(_ name: String, count: Int) -> Limits? {
    subject.tensors[name].flatMap { own in
      own.sigma.count == count ? .noise(own.combined(with: own)) : nil
    }
  }

  /// How many steps the reference can be judged for; nil for all.
  var agreeingSteps: Int? { reference.agreeingSteps }

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
