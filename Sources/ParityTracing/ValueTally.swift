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
  /// Elements that have a z.
  package private(set) var judged = 0
  private(set) var zSquares = 0.0
  private(set) var sigmaSquares = 0.0
  private(set) var actualSquares = 0.0
  private(set) var expectedSquares = 0.0
  private(set) var products = 0.0
  private(set) var differenceSquares = 0.0

  /// The root mean square of z over the elements that have one.
  package var rmsZ: Double { judged == 0 ? 0 : (zSquares / Double(judged)).squareRoot() }

  /// The root mean square of the differences over that of the expected elements.
  package var relativeRMS: Double {
    differenceSquares == 0 ? 0 : (differenceSquares / expectedSquares).squareRoot()
  }

  /// The root mean square of the actual elements over that of the expected ones.
  package var scaleRatio: Double { (actualSquares / expectedSquares).squareRoot() }

  /// The number that the expected elements times it come nearest to the actual ones.
  package var bestFactor: Double { products / expectedSquares }

  /// Whether rounding alone moves the value by more than a sixteenth of its size.
  var isLost: Bool { sigmaSquares > expectedSquares / 256 }

  /// Adds one block. O(elements).
  mutating func add(_ buffers: [BlockBuffer], _ range: Range<Int>, _ scale: Scale) {
    let count = range.count
    let (actual, expected) = (buffers[0].doubles(count), buffers[1].doubles(count))
    let sigma = buffers.count > 2 ? buffers[2].doubles(count) : nil
    for position in 0..<count {
      let (a, e) = (actual[position], expected[position])
      let offset = range.lowerBound + position
      let difference = a - e
      guard difference.isFinite else {
        addNonFinite(a, e)
        continue
      }
      actualSquares += a * a
      expectedSquares += e * e
      products += a * e
      differenceSquares += difference * difference
      let distance = abs(difference)
      if distance > (largestAbsolute?.value ?? 0) {
        largestAbsolute = Extreme(offset: offset, value: distance, actual: a, expected: e)
      }
      if distance > scale.atol + scale.rtol * abs(e) { beyondTorch += 1 }
      guard let sigma else { continue }
      let own = sigma[position]
      // Of an element that rounding may move anywhere, nothing can be said.
      guard own.isFinite else { continue }
      sigmaSquares += own * own
      let stored = scale.storage > 0 ? scale.storage * e * e + scale.smallest : 0
      let variance = own * own * scale.factor * scale.factor + stored
      guard variance > 0 else {
        if distance > 0 { inexact += 1 }
        continue
      }
      judged += 1
      let square = distance * distance / variance
      zSquares += square
      if square > (largestZ.map { $0.value * $0.value } ?? 0) {
        largestZ = Extreme(offset: offset, value: square.squareRoot(), actual: a, expected: e)
      }
    }
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
    beyondTorch += other.beyondTorch
    judged += other.judged
    zSquares += other.zSquares
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
