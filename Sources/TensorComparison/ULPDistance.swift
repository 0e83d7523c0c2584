import TensorCore

/// The number of representable values from one number to the other, 0 and -0
/// counting as one.
enum ULPDistance {
  /// - Parameter type: whose values are counted; both numbers are rounded to it.
  static func between(_ a: Double, _ b: Double, in type: Arithmetic) -> Double {
    switch type {
    case .float16: distance(ordinal(Half(a)), ordinal(Half(b)))
    case .bfloat16: distance(ordinal(BFloat16(a)), ordinal(BFloat16(b)))
    case .tf32, .float32: distance(ordinal(Float(a)), ordinal(Float(b)))
    case .float64: distance(ordinal(a), ordinal(b))
    }
  }

  /// Doubles of opposite sign can be further apart than `Int` can count.
  private static func distance(_ a: Int, _ b: Int) -> Double {
    let (difference, overflow) = a.subtractingReportingOverflow(b)
    return overflow ? abs(Double(a) - Double(b)) : Double(difference.magnitude)
  }

  private static func ordinal(_ x: some HalfPrecision) -> Int {
    let magnitude = Int(x.bitPattern & 0x7FFF)
    return x.bitPattern & 0x8000 == 0 ? magnitude : -magnitude
  }

  private static func ordinal(_ x: Float) -> Int {
    let magnitude = Int(x.magnitude.bitPattern)
    return x.sign == .minus ? -magnitude : magnitude
  }

  private static func ordinal(_ x: Double) -> Int {
    let magnitude = Int(x.magnitude.bitPattern)
    return x.sign == .minus ? -magnitude : magnitude
  }
}
