/// The type of a tensor's elements. The raw value is the name that PyTorch and NumPy share for
/// it, such as `float32`; NumPy has no bfloat16.
package enum ElementType: String, Sendable, CaseIterable {
  case float16
  case bfloat16
  case float32
  case float64
  case int32
  case int64

  /// The Swift type that holds such an element. Handed to a generic function, it is that
  /// function's `Element`.
  package var swiftType: any TensorElement.Type {
    switch self {
    case .float16: Half.self
    case .bfloat16: BFloat16.self
    case .float32: Float.self
    case .float64: Double.self
    case .int32: Int32.self
    case .int64: Int64.self
    }
  }

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
