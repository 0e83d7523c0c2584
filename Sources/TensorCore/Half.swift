/// A floating-point number of 16 bits that is stored and converted, but never computed with.
///
/// ```swift
/// Half(0.1 as Float).float  // 0.099975586
/// ```
///
/// Swift's own `Float16` is missing on Intel Macs, and Swift has no `BFloat16`.
package protocol HalfPrecision: TensorElement {
  var bitPattern: UInt16 { get }

  /// Rounds to the nearest number, ties to the even one.
  init(_ value: Float)

  /// The same number as a float32, which holds it exactly.
  var float: Float { get }
}

extension HalfPrecision {
  /// Rounds to the nearest number, ties to the even one. The number is not rounded twice: on
  /// the way through float32 it is rounded to odd, which keeps on which side of a tie it lies.
  package init(_ value: Double) { self.init(value.roundedToOdd) }
}

/// IEEE 754 binary16, PyTorch's `torch.half`: 5 bits of exponent, 10 of fraction.
package struct Half: HalfPrecision, Equatable {
  package static var elementType: ElementType { .float16 }

  package static func storage(_ elements: Elements<Half>) -> Tensor.Storage { .float16(elements) }

  package let bitPattern: UInt16

  package init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  package init(_ value: Float) {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let magnitude = value.magnitude
    if magnitude.isNaN {
      bitPattern = sign | 0x7E00
    } else if magnitude >= 0x1p-14 {
      // A carry moves on into the exponent, and past the largest number into infinity.
      let rebiased = magnitude.bitPattern.rounded(droppingBits: 13) &- (127 - 15) << 10
      bitPattern = sign | UInt16(min(rebiased, 0x7C00))
    } else {
      // Subnormal: multiples of 2⁻²⁴. The carry to 2⁻¹⁴ is right as it stands.
      bitPattern = sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
  }

  package var float: Float {
    let exponent = UInt32(bitPattern >> 10 & 0x1F)
    let fraction = UInt32(bitPattern & 0x3FF)
    let magnitude: Float =
      switch exponent {
      case 0: Float(fraction) * 0x1p-24
      case 31: Float(bitPattern: 0x7F80_0000 | fraction << 13)
      default: Float(bitPattern: (exponent + 112) << 23 | fraction << 13)
      }
    return bitPattern & 0x8000 == 0 ? magnitude : -magnitude
  }
}

/// The upper half of a float32, PyTorch's `torch.bfloat16`: 8 bits of exponent,
/// 7 of fraction.
package struct BFloat16: HalfPrecision, Equatable {
  package static var elementType: ElementType { .bfloat16 }

  package static func storage(_ elements: Elements<BFloat16>) -> Tensor.Storage {
    .bfloat16(elements)
  }

  package let bitPattern: UInt16

  package init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  package init(_ value: Float) {
    let bits = value.bitPattern
    bitPattern =
      value.isNaN
      ? UInt16(truncatingIfNeeded: bits >> 16) | 0x40
      : UInt16(truncatingIfNeeded: bits.rounded(droppingBits: 16))
  }

  package var float: Float { Float(bitPattern: UInt32(bitPattern) << 16) }
}

extension UInt32 {
  /// The number without its low bits, rounded to nearest, ties to even: of the bit pattern of a
  /// float32, that of the rounded number. A carry moves on into the exponent.
  func rounded(droppingBits count: UInt32) -> UInt32 {
    (self &+ (1 << (count - 1) - 1) &+ (self >> count & 1)) >> count
  }
}

extension Double {
  /// The float32 next to the number in the direction of zero, with its last bit set where it is
  /// not the number itself ("rounded to odd").
  fileprivate var roundedToOdd: Float {
    let nearest = Float(self)
    guard Double(nearest) != self, !isNaN else { return nearest }
    // An overflow's neighbour is the largest finite number, which is odd.
    let truncated =
      nearest.magnitude > Float.greatestFiniteMagnitude || Double(nearest.magnitude) > magnitude
      ? Float(sign: nearest.sign, exponent: 0, significand: nearest.magnitude.nextDown) : nearest
    return Float(bitPattern: truncated.bitPattern | 1)
  }
}
