/// The counts and the largest differences of a set of elements of two tensors, whatever their
/// limits.
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

  /// Elements at which both sides are finite. The largest differences below are among these.
  package private(set) var finiteCount = 0

  /// Elements at which both sides are finite and at least one is not 0.
  package private(set) var nonZeroCount = 0

  /// Elements at which one side is not finite and the other is not the same.
  package private(set) var nonFiniteDisagreements = 0

  /// The element with the largest `|actual − expected|`; nil where none is finite.
  package private(set) var largestAbsolute: Extreme?

  /// The element with the largest `|actual − expected| / |expected|`, which is infinite where
  /// only `expected` is 0.
  package private(set) var largestRelative: Extreme?

  /// The element with the largest distance in units in the last place (ULP): the number of
  /// representable values from one side to the other, in the coarser of their element types.
  package private(set) var largestULP: Extreme?

  /// Adds an element.
  ///
  /// - Parameter ulp: the distance of two finite numbers in ULP.
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
    // Counting representable values takes the most time of the three.
    keep(&largestULP, absolute == 0 ? 0 : ulp(actual, expected))

    func keep(_ extreme: inout Extreme?, _ value: Double) {
      if let extreme, !(value > extreme.value) { return }
      extreme = Extreme(offset: offset, actual: actual, expected: expected, value: value)
    }
  }
}
