import ArchiveComparison
import TensorComparison
import TensorCore

/// What one pass over a value and the tensor in its place finds.
package struct ValueTally: Sendable {
  /// The element at which a difference is largest.
  package struct Extreme: Sendable {
    /// Row-major.
    package let offset: Int
    package let value: Double
    package let actual: Double
    package let expected: Double
  }

  /// How a pair of elements is measured.
  struct Scale: Sendable {
    /// σ of the difference over σ of the reference: both sides round.
    let factor: Double
    /// What the actual elements were rounded to when they were stored: ⅓u², and the smallest step
    /// of the type; 0 where that is no coarser than the reference's.
    let storage: Double
    let smallest: Double
    /// `torch.testing`'s.
    let rtol: Double
    let atol: Double
  }

  /// Elements at which one side is not finite and the other is not the same.
  package private(set) var nonFiniteMismatches = 0
  package private(set) var actualNaNs = 0
  /// Elements at which σ is 0, where both sides must be equal, and are not.
  package private(set) var inexact = 0
  /// Elements that torch.testing's default tolerance does not pass.
  package private(set) var beyondTorch = 0
  package private(set) var largestAbsolute: Extreme?
  package private(set) var largestZ: Extreme?
  /// Elements at which both sides are finite.
  private(set) var finite = 0
  /// Of these, those that rounding may move anywhere, of which nothing is said.
  private(set) var unjudged = 0
  /// Elements that have a z.
  package private(set) var judged = 0
  private(set) var zSquares = 0.0
  /// The same of z by σ alone, whatever storing the elements has added.
  private(set) var plainSquares = 0.0
  /// Of the elements whose σ is 0.
  private(set) var exactSquares = 0.0
  private(set) var sigmaSquares = 0.0
  private(set) var actualSquares = 0.0
  private(set) var expectedSquares = 0.0
  private(set) var products = 0.0
  private(set) var differenceSquares = 0.0

  /// The root mean square of z over the elements that have one.
  package var rmsZ: Double { judged == 0 ? 0 : (zSquares / Double(judged)).squareRoot() }

  /// The same by σ alone, in which errors are handed on from stage to stage; nil where most of the
  /// difference is at elements whose σ is 0.
  var plainRMSZ: Double? {
    guard judged > 0, 2 * exactSquares <= differenceSquares else { return nil }
    return (plainSquares / Double(judged)).squareRoot()
  }

  /// The root mean square of the differences over that of the expected elements.
  package var relativeRMS: Double {
    differenceSquares == 0 ? 0 : (differenceSquares / expectedSquares).squareRoot()
  }

  /// The root mean square of the actual elements over that of the expected ones.
  package var scaleRatio: Double { (actualSquares / expectedSquares).squareRoot() }

  /// The number that the expected elements times it come nearest to the actual ones.
  package var bestFactor: Double { products / expectedSquares }

  /// Whether rounding alone moves the value by more than a sixteenth of its size, or more than a
  /// tenth of its elements anywhere.
  var isLost: Bool { sigmaSquares > expectedSquares / 256 || 10 * unjudged > finite }

  /// Adds one block, in strips: only one in which something is out of the ordinary is gone through
  /// element by element. O(elements).
  mutating func add(_ buffers: [BlockBuffer], _ range: Range<Int>, _ scale: Scale) {
    let count = range.count
    let (actual, expected) = (buffers[0].doubles(count), buffers[1].doubles(count))
    let sigma = buffers.count > 2 ? buffers[2].doubles(count) : nil
    let size = 2048
    for start in stride(from: 0, to: count, by: size) {
      let own = start..<min(start + size, count)
      let z = largestZ?.value ?? 0
      if let strip = ValueStrip(
        actual, expected, sigma, own, scale, largestDistance: largestAbsolute?.value ?? 0,
        largestSquare: z * z)
      {
        add(strip)
        finite += own.count
        continue
      }
      for position in own {
        add(
          actual[position], expected[position], sigma?[position], range.lowerBound + position,
          scale)
      }
    }
  }

  private mutating func add(_ strip: ValueStrip) {
    beyondTorch += strip.beyondTorch
    judged += strip.judged
    zSquares += strip.zSquares
    plainSquares += strip.plainSquares
    sigmaSquares += strip.sigmaSquares
    actualSquares += strip.actualSquares
    expectedSquares += strip.expectedSquares
    products += strip.products
    differenceSquares += strip.differenceSquares
  }

  private mutating func add(
    _ actual: Double, _ expected: Double, _ sigma: Double?, _ offset: Int, _ scale: Scale
  ) {
    let difference = actual - expected
    guard difference.isFinite else { return addNonFinite(actual, expected) }
    finite += 1
    actualSquares += actual * actual
    expectedSquares += expected * expected
    products += actual * expected
    let distance = abs(difference)
    differenceSquares += distance * distance
    func extreme(_ value: Double) -> Extreme {
      Extreme(offset: offset, value: value, actual: actual, expected: expected)
    }
    if distance > (largestAbsolute?.value ?? 0) { largestAbsolute = extreme(distance) }
    if distance > scale.atol + scale.rtol * abs(expected) { beyondTorch += 1 }
    // Of an element that rounding may move anywhere, nothing can be said.
    guard let sigma else { return }
    guard sigma.isFinite else {
      unjudged += 1
      return
    }
    sigmaSquares += sigma * sigma
    let plain = sigma * sigma * scale.factor * scale.factor
    let variance = plain + scale.storage * expected * expected + scale.smallest
    if plain > 0 {
      plainSquares += distance * distance / plain
    } else {
      exactSquares += distance * distance
    }
    guard variance > 0 else {
      if distance > 0 { inexact += 1 }
      return
    }
    judged += 1
    let z = distance / variance.squareRoot()
    zSquares += z * z
    if z > (largestZ?.value ?? 0) { largestZ = extreme(z) }
  }

  private mutating func addNonFinite(_ actual: Double, _ expected: Double) {
    if actual.isNaN { actualNaNs += 1 }
    if !(actual == expected || actual.isNaN && expected.isNaN) { nonFiniteMismatches += 1 }
  }

  /// Adds what was found in other blocks of the same value.
  mutating func merge(_ other: ValueTally) {
    nonFiniteMismatches += other.nonFiniteMismatches
    actualNaNs += other.actualNaNs
    inexact += other.inexact
    finite += other.finite
    unjudged += other.unjudged
    beyondTorch += other.beyondTorch
    judged += other.judged
    zSquares += other.zSquares
    plainSquares += other.plainSquares
    exactSquares += other.exactSquares
    sigmaSquares += other.sigmaSquares
    actualSquares += other.actualSquares
    expectedSquares += other.expectedSquares
    products += other.products
    differenceSquares += other.differenceSquares
    largestAbsolute = Self.larger(largestAbsolute, other.largestAbsolute)
    largestZ = Self.larger(largestZ, other.largestZ)
  }

  /// The larger one, and of two that are as large the first.
  private static func larger(_ a: Extreme?, _ b: Extreme?) -> Extreme? {
    guard let a, let b else { return a ?? b }
    return (b.value, -b.offset) > (a.value, -a.offset) ? b : a
  }
}
