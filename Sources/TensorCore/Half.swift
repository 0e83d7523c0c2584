/// A 16-bit float that is stored and converted, never computed with.
///
/// Swift's own `Float16` is missing on Intel Macs, and there is no `BFloat16`.
package protocol HalfPrecision: TensorElement {
  var bitPattern: UInt16 { get }

  init(bitPattern: UInt16)

  /// Rounds to nearest, ties to even.
  init(_ value: Float)

  /// Exact.
  var float: Float { get }
}

extension HalfPrecision {
  /// Rounds once: to odd on the way, which keeps what decides a tie.
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
      // Add half a unit in the last place, less one where the result is even:
      // a carry moves on into the exponent, and past the largest into infinity.
      let bits = magnitude.bitPattern
      let rounded = bits &+ 0xFFF &+ (bits >> 13 & 1)
      let rebiased = (rounded >> 13) &- (127 - 15) << 10
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
      : UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
  }

  package var float: Float { Float(bitPattern: UInt32(bitPattern) << 16) }
}

extension Double {
  /// The float32 towards zero, its last bit set where anything was cut off.
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
