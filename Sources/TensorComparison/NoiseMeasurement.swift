/// How far two tensors differ in units of their expected rounding error.
package struct NoiseMeasurement: Sendable, Equatable {
  /// The element with the largest z = |actual − expected| / σ.
  package private(set) var largest: Measurement.Extreme?
  /// The number of elements with a σ above 0.
  package private(set) var count = 0
  private var sumOfSquares = 0.0

  /// The root mean square of z; 0 of no elements.
  package var rms: Double {
    count == 0 ? 0 : (sumOfSquares / Double(count)).squareRoot()
  }

  /// Adds an element, unless its σ is 0: such an element must be equal, and has no z.
  mutating func add(
    _ difference: Double, sigma: Double, _ actual: Double, _ expected: Double, offset: Int
  ) {
    guard sigma > 0 else { return }
    let z = difference / sigma
    count += 1
    sumOfSquares += z * z
    if let largest, !(z > largest.value) { return }
    largest = .init(offset: offset, actual: actual, expected: expected, value: z)
  }
}
