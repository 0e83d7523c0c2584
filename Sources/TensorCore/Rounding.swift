extension Arithmetic {
  /// The nearest number that a tensor of this arithmetic can store, ties to even. For TF32,
  /// which stores float32, it is the nearest operand that a product takes.
  package func nearest(to x: Double) -> Double {
    switch self {
    case .float16: Double(Half(x).float)
    case .bfloat16: Double(BFloat16(x).float)
    case .tf32:
      x.isFinite
        ? Double(Float(bitPattern: Float(x).bitPattern.rounded(droppingBits: 13) << 13)) : x
    case .float32: Double(Float(x))
    case .float64: x
    }
  }
}
