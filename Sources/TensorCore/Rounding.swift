extension Arithmetic {
  /// The nearest number that this arithmetic's storage holds, ties to even; for
  /// TF32 the nearest operand of a product.
  package func nearest(to x: Double) -> Double {
    switch self {
    case .float16: Double(Half(x).float)
    case .bfloat16: Double(BFloat16(x).float)
    case .tf32:
      x.isFinite ? Double(Float(bitPattern: Self.nearestOperand(Float(x).bitPattern))) : x
    case .float32: Double(Float(x))
    case .float64: x
    }
  }

  /// Half a unit in the last place of 11 significant bits, less one where the
  /// result is even: a carry moves on into the exponent.
  private static func nearestOperand(_ bits: UInt32) -> UInt32 {
    (bits &+ 0xFFF &+ (bits >> 13 & 1)) & ~0x1FFF
  }
}
