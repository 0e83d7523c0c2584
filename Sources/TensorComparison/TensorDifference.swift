package import TensorCore

/// Two tensors of one shape, compared.
///
/// What was measured is kept apart from what was allowed, so that a result can
/// be judged again under other limits.
package struct TensorDifference: Sendable {
  package let shape: Shape
  package let limits: Limits

  /// Over all elements that are judged.
  package let measured: Measurement

  /// Over the elements beyond the limits.
  package let mismatched: Measurement

  /// The first element, row-major, that is beyond the limits.
  package let firstMismatch: Measurement.Extreme?

  /// The largest share of what is allowed, `|Δ| / allowed`, over all finite
  /// elements: 0 where they are equal, above 1 where one is beyond the limits.
  package let largestShare: Double

  /// Over the elements that have a σ; nil where the limits are no noise.
  package let noise: NoiseMeasurement?

  package var agrees: Bool {
    guard mismatched.count == 0 else { return false }
    guard let noise, case .noise(let limits) = limits else { return true }
    return noise.rms <= limits.largestRMS(count: noise.count)
  }

  /// Compares element by element. O(elements), without a copy of either tensor
  /// where both are float32 or float64.
  ///
  /// - Parameters:
  ///   - actual: of the shape of `expected`, perhaps of another element type.
  ///   - limits: what `actual` is held to.
  package init(of actual: Tensor, from expected: Tensor, within limits: Limits) {
    precondition(actual.shape == expected.shape, "compare shapes first")
    let scan = ElementScan.over(actual, expected, limits, unit: Self.unit(actual, expected))
    shape = actual.shape
    self.limits = limits
    measured = scan.measured
    mismatched = scan.mismatched
    firstMismatch = scan.firstMismatch
    largestShare = scan.largestShare
    noise = scan.noise
  }

  /// What representable values are counted in: the coarser of the two types.
  private static func unit(_ actual: Tensor, _ expected: Tensor) -> Arithmetic {
    let types = [actual, expected].compactMap { Arithmetic(of: $0.elementType) }
    return types.reduce(.float64) { $0.coarser($1) }
  }
}

/// One pass over the elements of two tensors.
private struct ElementScan {
  let limits: Limits
  let unit: Arithmetic
  var measured = Measurement()
  var mismatched = Measurement()
  var firstMismatch: Measurement.Extreme?
  var largestShare = 0.0
  var noise: NoiseMeasurement?

  /// Concrete types here, so that the loop is specialised in this module.
  static func over(
    _ actual: Tensor, _ expected: Tensor, _ limits: Limits, unit: Arithmetic
  ) -> ElementScan {
    var scan = ElementScan(limits: limits, unit: unit)
    if case .noise = limits { scan.noise = NoiseMeasurement() }
    return switch (actual.elementType, expected.elementType) {
    case (.float32, .float32): scan.run(Float.self, actual, Float.self, expected)
    case (.float32, .float64): scan.run(Float.self, actual, Double.self, expected)
    case (.float64, .float32): scan.run(Double.self, actual, Float.self, expected)
    default: scan.run(Double.self, actual, Double.self, expected)
    }
  }

  private func run<Actual: FloatingElement, Expected: FloatingElement>(
    _: Actual.Type, _ actual: Tensor, _: Expected.Type, _ expected: Tensor
  ) -> ElementScan {
    actual.withElements(as: Actual.self) { actual in
      expected.withElements(as: Expected.self) { expected in
        var scan = self
        for offset in actual.indices where limits.judges(offset) {
          scan.add(Double(actual[offset]), Double(expected[offset]), offset: offset)
        }
        return scan
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
    if case .noise(let limits) = limits, difference.isFinite {
      noise?.add(
        difference, sigma: limits.sigma[offset], actual, expected, offset: offset)
    }
    if limits.pass(actual, expected, offset: offset) { return }
    mismatched.add(actual, expected, offset: offset, ulp: ulp)
    if firstMismatch == nil {
      firstMismatch = .init(offset: offset, actual: actual, expected: expected, value: difference)
    }
  }
}
