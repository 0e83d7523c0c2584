/// What a module computes in: the precision of its products, and of what it stores between
/// them. It is not the type of a tensor (`ElementType`): TF32 is no type that a tensor can have,
/// and integers are no arithmetic.
package enum Arithmetic: String, Sendable, CaseIterable {
  case float16
  case bfloat16
  /// NVIDIA's TensorFloat-32: float32, but products take operands of 11 significant bits. Tensor
  /// cores compute so where `torch.backends.cuda.matmul.allow_tf32` is set.
  case tf32
  case float32
  case float64

  /// The arithmetic of a module whose tensors have this type; nil for integers.
  package init?(of type: ElementType) {
    self.init(rawValue: type.rawValue)
  }

  /// The type that inputs and parameters are rounded to before they are used.
  package var storage: ElementType {
    switch self {
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .tf32, .float32: .float32
    case .float64: .float64
    }
  }

  /// The type that this program computes in: float64 for float64, and float32 for all others,
  /// since PyTorch adds up the products of 16-bit types in float32 too.
  package var computation: ElementType { self == .float64 ? .float64 : .float32 }

  /// The unit roundoff: the largest relative error of rounding to nearest once, 2⁻ᵖ for p
  /// significant bits.
  package var unitRoundoff: Double {
    switch self {
    case .float16, .tf32: 0x1p-11
    case .bfloat16: 0x1p-8
    case .float32: 0x1p-24
    case .float64: 0x1p-53
    }
  }

  /// The one of the two that has fewer significant bits. A result is only as precise as the
  /// coarser of what it was computed in and what it is stored in.
  package func coarser(_ other: Arithmetic) -> Arithmetic {
    unitRoundoff >= other.unitRoundoff ? self : other
  }
}

extension Arithmetic: CustomStringConvertible {
  package var description: String { rawValue }
}
