package import TensorCore

/// Two tensors of one shape, compared.
///
/// What was measured is kept apart from what was allowed, so that a result can
/// be judged again under other limits.
package struct TensorDifference: Sendable, Equatable {
  package let shape: Shape
  package let limits: Limits

  /// Over all elements.
  package let measured: Measurement

  /// Over the elements beyond the limits.
  package let mismatched: Measurement

  /// The first element, row-major, that is beyond the limits.
  package let firstMismatch: Measurement.Extreme?

  /// The largest share of what is allowed, `|Δ| / allowed`, over all finite
  /// elements: 0 where they are equal, above 1 where one is beyond the limits.
  package let largestShare: Double

  package var agrees: Bool { mismatched.count == 0 }

  /// Compares element by element. O(elements).
  ///
  /// - Parameters:
  ///   - actual: of the shape of `expected`, perhaps of another element type.
  ///   - limits: what `actual` is held to.
  package init(of actual: Tensor, from expected: Tensor, within limits: Limits) {
    precondition(actual.shape == expected.shape, "compare shapes first")
    let narrower: ElementType =
      actual.elementType == .float32 || expected.elementType == .float32 ? .float32 : .float64
    func ulp(_ a: Double, _ b: Double) -> Double { ULPDistance.between(a, b, in: narrower) }

    var measured = Measurement()
    var mismatched = Measurement()
    var firstMismatch: Measurement.Extreme?
    var largestShare = 0.0
    let actuals = actual.elements(as: Double.self)
    let expecteds = expected.elements(as: Double.self)
    for offset in 0..<actual.count {
      let (actual, expected) = (actuals[offset], expecteds[offset])
      measured.add(actual, expected, offset: offset, ulp: ulp)
      let difference = abs(actual - expected)
      if difference > 0, expected.isFinite, actual.isFinite {
        largestShare = max(largestShare, difference / limits.allowed(at: expected))
      }
      if limits.pass(actual, expected) { continue }
      mismatched.add(actual, expected, offset: offset, ulp: ulp)
      if firstMismatch == nil {
        firstMismatch = .init(
          offset: offset, actual: actual, expected: expected, value: difference)
      }
    }
    shape = actual.shape
    self.limits = limits
    self.measured = measured
    self.mismatched = mismatched
    self.firstMismatch = firstMismatch
    self.largestShare = largestShare
  }
}
