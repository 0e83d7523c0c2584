/// How far two tensors differ, element by element, whatever is allowed.
package struct Measurement: Sendable, Equatable {
  /// An element at which a difference is largest.
  package struct Extreme: Sendable, Equatable {
    /// Row-major.
    package let offset: Int
    package let actual: Double
    package let expected: Double
    /// The difference, in the unit that is measured.
    package let value: Double
  }

  /// All elements that were measured.
  package private(set) var count = 0

  /// Those at which both sides are finite. The extremes below are over these.
  package private(set) var finiteCount = 0

  /// Those of them at which one side is not 0.
  package private(set) var nonZeroCount = 0

  /// Elements at which one side is not finite and the other is not the same.
  package private(set) var nonFiniteDisagreements = 0

  /// By `|actual − expected|`.
  package private(set) var largestAbsolute: Extreme?

  /// By `|actual − expected| / |expected|`; infinite where only `expected` is 0.
  package private(set) var largestRelative: Extreme?

  /// By the number of representable values between the two, in the coarser
  /// element type of the two sides.
  package private(set) var largestULP: Extreme?

  mutating func add(
    _ actual: Double, _ expected: Double, offset: Int, ulp: (Double, Double) -> Double
  ) {
    count += 1
    guard actual.isFinite && expected.isFinite else {
      let same = actual == expected || actual.isNaN && expected.isNaN
      if !same { nonFiniteDisagreements += 1 }
      return
    }
    finiteCount += 1
    if actual != 0 || expected != 0 { nonZeroCount += 1 }
    let absolute = abs(actual - expected)
    keep(&largestAbsolute, absolute)
    keep(&largestRelative, absolute == 0 ? 0 : absolute / abs(expected))
    // Counting representable values is the dearest of the three.
    keep(&largestULP, absolute == 0 ? 0 : ulp(actual, expected))

    func keep(_ extreme: inout Extreme?, _ value: Double) {
      if let extreme, !(value > extreme.value) { return }
      extreme = Extreme(offset: offset, actual: actual, expected: expected, value: value)
    }
  }
}
