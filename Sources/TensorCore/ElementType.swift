/// The type of a tensor's elements, by the name that PyTorch and NumPy share.
package enum ElementType: String, Sendable, CaseIterable {
  case float16
  case bfloat16
  case float32
  case float64
  case int32
  case int64

  /// The size of one element in bytes.
  package var byteCount: Int {
    switch self {
    case .float16, .bfloat16: 2
    case .float32, .int32: 4
    case .float64, .int64: 8
    }
  }

  package var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    case .int32, .int64: false
    }
  }
}

extension ElementType: CustomStringConvertible {
  package var description: String { rawValue }
}
