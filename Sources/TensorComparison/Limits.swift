import RealModule
package import TensorCore

/// How far each element of one tensor may be from that of another.
///
/// ```swift
/// let limits = Limits.bound(rtol: 1e-5, atol: 1e-8)
/// TensorDifference(of: actual, from: expected, within: limits).agrees
/// ```
package enum Limits: Sendable, Equatable {
  /// `|actual − expected| ≤ atol + rtol · |expected|`.
  case bound(rtol: Double, atol: Double)
  /// The same bits.
  case bits
  /// The rounding error that is expected of each element.
  case noise(NoiseLimits)

  /// The default limits of `torch.testing.assert_close` for results computed in `arithmetic`.
  package static func torch(_ arithmetic: Arithmetic) -> Limits {
    ToleranceRule.torch.limits(for: arithmetic) ?? .bits
  }

  /// The largest `|actual − expected|` with which an element passes.
  ///
  /// - Parameters:
  ///   - expected: the element that is expected.
  ///   - offset: its row-major offset.
  package func allowed(at expected: Double, offset: Int) -> Double {
    switch self {
    case .bound(let rtol, let atol): atol + rtol * abs(expected)
    case .bits: 0
    case .noise(let noise) where !noise.isJudged[offset]: noise.largestUnjudged ?? .infinity
    case .noise(let noise): noise.largestZ * noise.elementSlack * noise.sigma[offset]
    }
  }

  /// Whether the difference of two elements at a row-major offset says nothing: it is not judged,
  /// and both are possible.
  func passesOver(_ actual: Double, _ expected: Double, offset: Int) -> Bool {
    guard case .noise(let noise) = self, !noise.isJudged[offset] else { return false }
    return noise.passUnjudged(actual, expected)
  }

  /// Limits with which passes whatever passes with one of the two. Neither may be `noise`.
  package func loosened(to other: Limits) -> Limits {
    switch (self, other) {
    case (.bound(let rtol, let atol), .bound(let otherRtol, let otherAtol)):
      .bound(rtol: max(rtol, otherRtol), atol: max(atol, otherAtol))
    case (.bits, let limits), (let limits, _): limits
    }
  }

  /// Whether an element passes. NaN passes where NaN is expected, and an infinity where the same
  /// infinity is.
  package func pass(_ actual: Double, _ expected: Double, offset: Int) -> Bool {
    if actual.isNaN && expected.isNaN { return true }
    return switch self {
    case .noise(let noise) where !noise.isJudged[offset]: noise.passUnjudged(actual, expected)
    case .bits: actual.bitPattern == expected.bitPattern
    case .bound, .noise:
      actual == expected
        || abs(actual - expected) <= allowed(at: expected, offset: offset) && expected.isFinite
    }
  }
}

/// The rounding error that two sides of a comparison are expected to have
/// together, element by element.
///
/// An element passes at z = |actual − expected| / σ of at most `largestZ`, and a tensor where the
/// root mean square of its z is at most `largestRMS` and their drift at most `largestDrift` too:
/// many small errors, each within its own limit, are no rounding, least of all those of one sign.
package struct NoiseLimits: Sendable, Equatable {
  /// The standard deviation σ of each element's rounding error, row-major; 0 where the sides must
  /// be equal.
  package let sigma: [Double]
  /// Whether each element is judged, row-major; false where rounding is amplified so much that
  /// nothing can be said.
  package let isJudged: [Bool]
  /// The largest z of an element that passes.
  package let largestZ: Double
  /// The factor by which a single element may be further off than `largestZ` σ.
  package var elementSlack = 1.0
  /// The number of elements that err independently, which is smaller than the number of all
  /// elements where their errors are correlated.
  package let independentCount: Double
  /// The largest magnitude that an element which is not judged may have, on either side: infinity
  /// where it is to be finite and no more, nil where it may be anything.
  package var largestUnjudged: Double?

  /// The default of `largestZ`. It leaves room for a σ that sixteen replicas measure to about
  /// ±18%, and for errors that are not quite normally distributed: of 3,190 random modules of
  /// real PyTorch the largest z was 6.1
  /// (`tools/calibrate_noise.py --count 3200 --seed 717171`).
  package static let standardZ = 8.0

  /// - Parameter independentCount: nil where all elements err independently.
  package init(
    sigma: [Double], isJudged: [Bool], largestZ: Double = standardZ,
    independentCount: Double? = nil
  ) {
    precondition(sigma.count == isJudged.count)
    self.independentCount = independentCount ?? Double(sigma.count)
    self.sigma = sigma
    self.isJudged = isJudged
    self.largestZ = largestZ
  }

  /// The largest root mean square of z with which a tensor of `count` elements passes.
  ///
  /// It is a quarter of `largestZ` for a large tensor of independent elements, of which
  /// PyTorch's is mostly near 0.6. Of a few elements, or of many that err alike, the root
  /// mean square is by chance as large as one of them can be: with `largestZ` 8 it
  /// is 2 + 6/√n.
  package func largestRMS(count: Int) -> Double {
    Self.largestRMS(count: min(Double(count), independentCount), largestZ: largestZ)
  }

  /// The same of `count` elements that err independently.
  package static func largestRMS(count: Double, largestZ: Double = standardZ) -> Double {
    largestZ / 4 * (1 + 3 / max(1, count).squareRoot())
  }

  /// The largest drift, as `NoiseMeasurement.drift` has it, with which a tensor of `count`
  /// elements passes: three quarters of the largest root mean square.
  ///
  /// Of a large tensor of independent elements it is 1.5. PyTorch's and JAX's own are at most 0.3
  /// in 99 of 100 tensors and 1.26 at most, while c or h times 1 − 5·10⁻⁷ at each step, or tanh
  /// times 1 + 3·10⁻⁷, makes 1.5 to 3.
  package func largestDrift(count: Int) -> Double { 0.75 * largestRMS(count: count) }

  /// The limits for the difference of two sides that err independently: σ² = σ₁² + σ₂².
  /// O(elements).
  package func combined(with other: NoiseLimits) -> NoiseLimits {
    NoiseLimits(
      sigma: zip(sigma, other.sigma).map { .hypot($0, $1) },
      isJudged: zip(isJudged, other.isJudged).map { $0 && $1 },
      largestZ: min(largestZ, other.largestZ),
      independentCount: min(independentCount, other.independentCount))
  }

  /// The same noise, with another bound on z.
  package func with(largestZ: Double) -> NoiseLimits {
    var limits = NoiseLimits(
      sigma: sigma, isJudged: isJudged, largestZ: largestZ, independentCount: independentCount)
    limits.largestUnjudged = largestUnjudged
    limits.elementSlack = elementSlack
    return limits
  }

  /// Whether an element that is not judged is at least possible: finite where the other side is,
  /// and not larger than its formula can make it.
  func passUnjudged(_ actual: Double, _ expected: Double) -> Bool {
    guard let largestUnjudged else { return true }
    func isPossible(_ value: Double) -> Bool { value.isFinite && abs(value) <= largestUnjudged }
    return isPossible(actual) && isPossible(expected)
      || actual == expected || actual.isNaN && expected.isNaN
  }

  /// The share of the elements that can be judged; 1 where there are no elements.
  package var judgedShare: Double {
    isJudged.isEmpty ? 1 : Double(isJudged.count { $0 }) / Double(isJudged.count)
  }
}
