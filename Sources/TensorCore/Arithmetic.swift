/// What a module computes in: the element type of its products and of what it
/// stores between them.
package enum Arithmetic: String, Sendable, CaseIterable {
  case float16
  case bfloat16
  /// float32 whose products take operands of 11 significant bits (NVIDIA's
  /// tensor cores, where `torch.backends.cuda.matmul.allow_tf32` lets them).
  case tf32
  case float32
  case float64

  /// That of a module whose tensors are of this type; nil for integers.
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

  /// The type that we compute in: no narrower than the module's own sums, which
  /// are in float32 for 16-bit types too.
  package var computation: ElementType { self == .float64 ? .float64 : .float32 }

  /// The largest relative error of one rounding to nearest, 2⁻ᵖ for p
  /// significant bits.
  package var unitRoundoff: Double {
    switch self {
    case .float16, .tf32: 0x1p-11
    case .bfloat16: 0x1p-8
    case .float32: 0x1p-24
    case .float64: 0x1p-53
    }
  }

  /// Whichever of the two rounds more: a result is as good as the coarser of
  /// what it was computed and stored in.
  package func coarser(_ other: Arithmetic) -> Arithmetic {
    unitRoundoff >= other.unitRoundoff ? self : other
  }
}

extension Arithmetic: CustomStringConvertible {
  package var description: String { rawValue }
}
