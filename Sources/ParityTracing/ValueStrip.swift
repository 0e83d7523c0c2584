import TensorCore

/// What one pass over a few thousand elements finds, where nothing in them is out of the ordinary.
///
/// Its loop has no branches, and keeps its sums in registers.
struct ValueStrip {
  private(set) var beyondTorch = 0
  private(set) var judged = 0
  private(set) var zSquares = 0.0
  private(set) var plainSquares = 0.0
  private(set) var sigmaSquares = 0.0
  private(set) var actualSquares = 0.0
  private(set) var expectedSquares = 0.0
  private(set) var products = 0.0
  private(set) var differenceSquares = 0.0

  typealias Elements = UnsafeBufferPointer<Double>
  private typealias Vector = SIMD4<Double>
  private typealias Mask = SIMDMask<SIMD4<Int64>>

  /// - Parameters:
  ///   - largestDistance: the largest `|actual − expected|` so far.
  ///   - largestSquare: the largest z² so far.
  /// - Returns: nil where the elements must be looked at one by one: where one is not finite or has
  ///   no σ, where an exact one is off, where a difference is larger than any before, and where
  ///   their number is no multiple of 4.
  init?(
    _ actual: Elements, _ expected: Elements, _ sigma: Elements?, _ range: Range<Int>,
    _ scale: ValueTally.Scale, largestDistance: Double, largestSquare: Double
  ) {
    guard range.count.isMultiple(of: Vector.scalarCount),
      addDifferences(actual, expected, range, scale, largestDistance),
      sigma.map({ addZ(actual, expected, $0, range, scale, largestSquare) }) ?? true
    else { return nil }
  }

  private mutating func addDifferences(
    _ actual: Elements, _ expected: Elements, _ range: Range<Int>, _ scale: ValueTally.Scale,
    _ largest: Double
  ) -> Bool {
    var isUsual = Mask(repeating: true)
    var within = SIMD4<Int64>.zero
    var (actualSum, expectedSum, productSum, differenceSum) = (
      Vector.zero, Vector.zero, Vector.zero, Vector.zero
    )
    for position in stride(from: range.lowerBound, to: range.upperBound, by: Vector.scalarCount) {
      let (a, e) = (Self.vector(actual, position), Self.vector(expected, position))
      let distance = Self.magnitude(a - e)
      isUsual .&= distance .<= largest
      let limit = scale.atol + scale.rtol * Self.magnitude(e)
      within.replace(with: within &+ 1, where: distance .<= limit)
      actualSum += a * a
      expectedSum += e * e
      productSum += a * e
      differenceSum += distance * distance
    }
    beyondTorch = range.count - Int(within.wrappedSum())
    (actualSquares, expectedSquares) = (actualSum.sum(), expectedSum.sum())
    (products, differenceSquares) = (productSum.sum(), differenceSum.sum())
    return all(isUsual)
  }

  private mutating func addZ(
    _ actual: Elements, _ expected: Elements, _ sigma: Elements, _ range: Range<Int>,
    _ scale: ValueTally.Scale, _ largest: Double
  ) -> Bool {
    let factor = scale.factor * scale.factor
    let isStored = scale.storage > 0
    var isUsual = Mask(repeating: true)
    var count = SIMD4<Int64>.zero
    var (zSum, plainSum, sigmaSum) = (Vector.zero, Vector.zero, Vector.zero)
    for position in stride(from: range.lowerBound, to: range.upperBound, by: Vector.scalarCount) {
      let (e, own) = (Self.vector(expected, position), Self.vector(sigma, position))
      let difference = Self.vector(actual, position) - e
      let square = difference * difference
      let ownSquare = own * own
      let plain = ownSquare * factor
      // Where σ is 0 both sides are to be equal, and there is no z.
      let plainZ = square / plain.replacing(with: 1, where: plain .<= 0)
      var (z, hasZ) = (plainZ, plain .> 0)
      if isStored {
        let variance = plain + scale.storage * e * e + scale.smallest
        hasZ = variance .> 0
        z = square / variance.replacing(with: 1, where: variance .<= 0)
      }
      isUsual .&= (z .<= largest) .& (own .< .infinity) .& ((own .> 0) .| (square .== 0))
      count.replace(with: count &+ 1, where: hasZ)
      zSum += z
      plainSum += plainZ
      sigmaSum += ownSquare
    }
    (judged, sigmaSquares) = (Int(count.wrappedSum()), sigmaSum.sum())
    (zSquares, plainSquares) = (zSum.sum(), plainSum.sum())
    return all(isUsual)
  }

  @inline(__always)
  private static func vector(_ elements: Elements, _ position: Int) -> Vector {
    UnsafeRawBufferPointer(elements).loadUnaligned(
      fromByteOffset: position * MemoryLayout<Double>.size, as: Vector.self)
  }

  @inline(__always)
  private static func magnitude(_ vector: Vector) -> Vector {
    vector.replacing(with: -vector, where: vector .< 0)
  }
}
