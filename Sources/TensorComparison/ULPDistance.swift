import TensorCore

/// The number of representable values from one number to the other, 0 and -0
/// counting as one.
enum ULPDistance {
  /// - Parameter type: whose values are counted; both numbers are rounded to it.
  static func between(_ a: Double, _ b: Double, in type: Arithmetic) -> Double {
    let (a, b) = (ordinal(a, in: type), ordinal(b, in: type))
    let (difference, overflow) = a.subtractingReportingOverflow(b)
    // Doubles of opposite sign can be further apart than `Int` can count.
    return overflow ? abs(Double(a) - Double(b)) : Double(difference.magnitude)
  }

  /// The number of representable values from 0 to `x`; negative where `x` is.
  private static func ordinal(_ x: Double, in type: Arithmetic) -> Int {
    let magnitude =
      switch type {
      case .float16: Int(Half(x.magnitude).bitPattern)
      case .bfloat16: Int(BFloat16(x.magnitude).bitPattern)
      case .tf32, .float32: Int(Float(x.magnitude).bitPattern)
      case .float64: Int(x.magnitude.bitPattern)
      }
    return x.sign == .minus ? -magnitude : magnitude
  }
}
