package import TensorCore

/// How two tensors of the same shape differ, and whether they agree within limits.
///
/// ```swift
/// let difference = TensorDifference(of: actual, from: expected, within: .torch(.float32))
/// if !difference.agrees { print(difference.mismatched.count, "elements differ") }
/// ```
///
/// What was measured is kept apart from the limits, so that a report can show both.
package struct TensorDifference: Sendable {
  package let shape: Shape
  package let limits: Limits

  /// The differences of all elements that are judged, and of those that are not and cannot be
  /// right.
  package private(set) var measured = Measurement()

  /// The differences of the elements beyond the limits.
  package private(set) var mismatched = Measurement()

  /// The first element, row-major, that is beyond the limits.
  package private(set) var firstMismatch: Measurement.Extreme?

  /// The largest share of what is allowed, `|Δ| / allowed`, over all finite
  /// elements: 0 where they are equal, above 1 where one is beyond the limits.
  package private(set) var largestShare = 0.0

  /// The differences in units of the rounding noise; nil where the limits are not `noise`.
  package private(set) var noise: NoiseMeasurement?

  /// The arithmetic whose representable values are counted: that of the coarser element type.
  private let unit: Arithmetic

  /// Whether every element is within the limits; with `noise`, the root mean square of z and its
  /// drift too.
  package var agrees: Bool {
    guard mismatched.count == 0 else { return false }
    guard let noise, case .noise(let limits) = limits else { return true }
    return noise.rms <= limits.largestRMS(count: noise.count)
      && noise.drift <= limits.largestDrift(count: noise.count)
  }

  /// Whether the differences are mostly of one sign: their drift is more than `share` of their root
  /// mean square, over at least 64 elements that err independently. What coarse rounding makes is
  /// at most 0.73 of it, in 99 of 100 tensors 0.6; a factor that is off makes 0.7 to 1.
  package func isOfOneSign(beyond share: Double = 0.75) -> Bool {
    guard let noise, case .noise(let limits) = limits else { return false }
    return min(Double(noise.count), limits.independentCount) >= 64
      && noise.drift > share * noise.rms
  }

  /// Compares element by element. O(elements), without a copy of either tensor
  /// where both are float32 or float64.
  ///
  /// - Parameters:
  ///   - actual: of the shape of `expected`, perhaps of another element type.
  ///   - limits: what `actual` is held to.
  package init(of actual: Tensor, from expected: Tensor, within limits: Limits) {
    precondition(actual.shape == expected.shape, "compare shapes first")
    shape = actual.shape
    self.limits = limits
    unit = [actual, expected].compactMap { Arithmetic(of: $0.elementType) }
      .reduce(.float64) { $0.coarser($1) }
    if case .noise = limits { noise = NoiseMeasurement() }
    add(actual, expected)
  }

  /// Adds all elements. The types are concrete here, so that the compiler specialises the loop.
  private mutating func add(_ actual: Tensor, _ expected: Tensor) {
    switch (actual.elementType, expected.elementType) {
    case (.float32, .float32): add(Float.self, actual, Float.self, expected)
    case (.float32, .float64): add(Float.self, actual, Double.self, expected)
    case (.float64, .float32): add(Double.self, actual, Float.self, expected)
    default: add(Double.self, actual, Double.self, expected)
    }
  }

  private mutating func add<Actual: FloatingElement, Expected: FloatingElement>(
    _: Actual.Type, _ actual: Tensor, _: Expected.Type, _ expected: Tensor
  ) {
    actual.withElements(as: Actual.self) { actual in
      expected.withElements(as: Expected.self) { expected in
        for offset in actual.indices {
          let (own, other) = (Double(actual[offset]), Double(expected[offset]))
          if !limits.passesOver(own, other, offset: offset) { add(own, other, offset: offset) }
        }
      }
    }
  }

  private mutating func add(_ actual: Double, _ expected: Double, offset: Int) {
    let unit = unit
    func ulp(_ a: Double, _ b: Double) -> Double { ULPDistance.between(a, b, in: unit) }
    measured.add(actual, expected, offset: offset, ulp: ulp)
    let difference = abs(actual - expected)
    if difference > 0, expected.isFinite, actual.isFinite {
      largestShare = max(
        largestShare, difference / limits.allowed(at: expected, offset: offset))
    }
    if case .noise(let limits) = limits, limits.isJudged[offset], difference.isFinite {
      noise?.add(
        sigma: limits.sigma[offset], actual, expected, offset: offset)
    }
    if limits.pass(actual, expected, offset: offset) { return }
    mismatched.add(actual, expected, offset: offset, ulp: ulp)
    if firstMismatch == nil {
      firstMismatch = .init(offset: offset, actual: actual, expected: expected, value: difference)
    }
  }
}
