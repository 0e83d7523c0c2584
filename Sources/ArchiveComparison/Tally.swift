/// The number of mismatches of two tensors, and their largest differences, which a first pass
/// over them finds.
package struct Tally: Sendable, Equatable {
  /// The element at which a difference is largest; the first of them where there are several.
  package struct Extreme: Sendable, Equatable {
    /// Row-major.
    package let offset: Int
    /// The difference, absolute or relative.
    package let value: Double
  }

  /// Elements beyond the limits.
  package private(set) var mismatches = 0
  /// Elements beyond the limits at which a side is not finite.
  package private(set) var nonFiniteMismatches = 0
  /// Elements at which both sides are finite; the extremes are over these.
  package private(set) var finiteCount = 0
  /// The element with the largest `|actual − expected|`; nil where all are equal.
  package private(set) var largestAbsolute: Extreme?
  /// The element with the largest `|actual − expected| / |expected|`, which is infinite where
  /// only `expected` is 0; nil where all are equal.
  package private(set) var largestRelative: Extreme?

  package init() {}

  /// Adds what was found in other blocks of the same tensors.
  mutating func merge(_ other: Tally) {
    mismatches += other.mismatches
    nonFiniteMismatches += other.nonFiniteMismatches
    finiteCount += other.finiteCount
    if let extreme = other.largestAbsolute { Self.keep(&largestAbsolute, extreme) }
    if let extreme = other.largestRelative { Self.keep(&largestRelative, extreme) }
  }

  private static func keep(_ extreme: inout Extreme?, _ new: Extreme) {
    if let old = extreme,
      old.value > new.value || old.value == new.value && old.offset <= new.offset
    {
      return
    }
    extreme = new
  }

  /// `|a − b|`, exact.
  static func distance(_ a: Int64, _ b: Int64) -> UInt64 {
    a > b ? UInt64(bitPattern: a &- b) : UInt64(bitPattern: b &- a)
  }

  /// Adds one block of both tensors. O(elements).
  ///
  /// - Parameter offset: the row-major offset of the block's first element.
  mutating func add(_ pair: BlockPair, offset: Int, _ bounds: Bounds) {
    switch pair {
    case .floats(let actual, let expected): add(actual, expected, offset, bounds)
    case .doubles(let actual, let expected): add(actual, expected, offset, bounds)
    case .integers(let actual, let expected): add(actual, expected, offset, bounds)
    }
  }

  /// Goes through the elements in strips of 2,048. A vectorised loop without branches looks
  /// whether a strip holds a number that is not finite, or a new largest difference. Only then
  /// are its elements added one by one.
  @inline(__always)
  private mutating func add<Element: BinaryFloatingPoint>(
    _ actual: UnsafeBufferPointer<Element>, _ expected: UnsafeBufferPointer<Element>,
    _ offset: Int, _ bounds: Bounds
  ) {
    let strip = 2048
    for start in stride(from: 0, to: actual.count, by: strip) {
      let range = start..<min(start + strip, actual.count)
      let glance = glance(actual, expected, range, bounds)
      if glance.isUnusual {
        for position in range {
          add(Double(actual[position]), Double(expected[position]), offset + position, bounds)
        }
      } else {
        mismatches += glance.mismatches
        finiteCount += range.count
      }
    }
  }

  /// Counts a strip's mismatches, as if all of its numbers were finite.
  ///
  /// - Returns: the count, and whether the elements must be added one by one.
  @inline(__always)
  private func glance<Element: BinaryFloatingPoint>(
    _ actual: UnsafeBufferPointer<Element>, _ expected: UnsafeBufferPointer<Element>,
    _ range: Range<Int>, _ bounds: Bounds
  ) -> (mismatches: Int, isUnusual: Bool) {
    let (rtol, atol) = (bounds.rtol, bounds.atol)
    let absolute = largestAbsolute?.value ?? 0
    // A product rounds where the quotient would not: look once too often.
    let relative = (largestRelative?.value ?? 0) * (1 - 0x1p-50)
    var mismatches = 0
    var unusual = 0
    for position in range {
      let (a, e) = (Double(actual[position]), Double(expected[position]))
      let (difference, magnitude) = (abs(a - e), abs(e))
      unusual |= difference < .infinity ? 0 : 1
      unusual |= difference > absolute ? 1 : 0
      unusual |= difference > relative * magnitude ? 1 : 0
      mismatches &+= difference <= atol + rtol * magnitude ? 0 : 1
    }
    if bounds.isExact {
      mismatches = 0
      for position in range {
        let (a, e) = (Double(actual[position]), Double(expected[position]))
        mismatches &+= a.bitPattern == e.bitPattern ? 0 : 1
      }
    }
    return (mismatches, unusual != 0)
  }

  private mutating func add(
    _ actual: Double, _ expected: Double, _ offset: Int, _ bounds: Bounds
  ) {
    let passes = bounds.pass(actual, expected)
    if !passes { mismatches += 1 }
    guard actual.isFinite && expected.isFinite else {
      if !passes { nonFiniteMismatches += 1 }
      return
    }
    finiteCount += 1
    keep(abs(actual - expected), abs(expected), offset)
  }

  private mutating func add(
    _ actual: UnsafeBufferPointer<Int64>, _ expected: UnsafeBufferPointer<Int64>,
    _ offset: Int, _ bounds: Bounds
  ) {
    finiteCount += actual.count
    for position in actual.indices where actual[position] != expected[position] {
      let (actual, expected) = (actual[position], expected[position])
      if !bounds.pass(actual, expected) { mismatches += 1 }
      keep(Double(Self.distance(actual, expected)), abs(Double(expected)), offset + position)
    }
  }

  private mutating func keep(_ difference: Double, _ magnitude: Double, _ offset: Int) {
    guard difference > 0 else { return }
    Self.keep(&largestAbsolute, Extreme(offset: offset, value: difference))
    Self.keep(&largestRelative, Extreme(offset: offset, value: difference / magnitude))
  }
}
