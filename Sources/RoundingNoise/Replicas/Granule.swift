import RealModule

extension Sequence<Double> {
  /// The largest power of two of which all these numbers are multiples; infinity where all are 0,
  /// and 0 where one is not finite.
  ///
  /// Sums of such numbers are multiples of it too, and so have no rounding error while they are
  /// small enough: of integers, for example, it is at least 1. O(numbers).
  var granule: Double {
    reduce(.infinity) { granule, number in
      guard number != 0 else { return granule }
      guard number.isFinite else { return 0 }
      return Swift.min(
        granule,
        number.ulp
          * Double(
            sign: .plus,
            exponent: Swift.min(52, number.significandBitPattern.trailingZeroBitCount),
            significand: 1))
    }
  }
}

extension NoisyVector {
  /// The granule of the numbers where they have no errors; 0 where they have.
  var granule: Double {
    if let replicas {
      guard zip(values, replicas).allSatisfy({ $1 == Replicas(repeating: $0) }) else { return 0 }
    }
    if let least, least.contains(where: { $0 != 0 }) { return 0 }
    return values.granule
  }
}
