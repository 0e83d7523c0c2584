/// How far two tensors differ in units of their expected rounding error.
package struct NoiseMeasurement: Sendable, Equatable {
  /// The element with the largest z = |actual − expected| / σ.
  package private(set) var largest: Measurement.Extreme?
  /// The number of elements with a σ above 0.
  package private(set) var count = 0
  private var sumOfSquares = 0.0
  /// The sum of z with the sign of the difference.
  private var sum = 0.0
  /// The same, positive where the element is too large in magnitude.
  private var sumOfGrowth = 0.0

  /// The root mean square of z; 0 of no elements.
  package var rms: Double {
    count == 0 ? 0 : (sumOfSquares / Double(count)).squareRoot()
  }

  /// How much of the differences is of one sign: the mean of z, or the mean of z where an element
  /// that is too large in magnitude counts as positive, whichever is further from 0. Rounding
  /// errors average out; those of a factor or a constant that is off do not.
  package var drift: Double {
    count == 0 ? 0 : max(abs(sum), abs(sumOfGrowth)) / Double(count)
  }

  /// Adds an element, unless its σ is 0: such an element must be equal, and has no z.
  mutating func add(
    sigma: Double, _ actual: Double, _ expected: Double, offset: Int
  ) {
    guard sigma > 0 else { return }
    let signed = (actual - expected) / sigma
    let z = abs(signed)
    sum += signed
    sumOfGrowth += expected < 0 ? -signed : signed
    count += 1
    sumOfSquares += z * z
    if let largest, !(z > largest.value) { return }
    largest = .init(offset: offset, actual: actual, expected: expected, value: z)
  }
}
