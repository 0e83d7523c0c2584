import TestSupport
import Testing

@testable import TensorCore

/// Against Swift's own `Float16`, where there is one, and against the definition.
@Suite struct HalfTests {
  #if !(os(macOS) && arch(x86_64))
    @Test func everyHalfIsTheFloatThatSwiftSays() {
      for pattern in UInt16.min...UInt16.max {
        let (ours, swifts) = (Half(bitPattern: pattern), Float16(bitPattern: pattern))
        if swifts.isNaN {
          #expect(ours.float.isNaN)
        } else {
          #expect(ours.float.bitPattern == Float(swifts).bitPattern, "\(pattern)")
        }
      }
    }

    @Test func roundsAsSwiftDoes() {
      var generator = SplitMix64(seed: 1)
      for _ in 0..<200_000 {
        let value = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &generator))
        guard !value.isNaN else { continue }
        #expect(Half(value).bitPattern == Float16(value).bitPattern, "\(value)")
        // Most random floats are far out of range; these are not.
        let near = Float.random(in: -70_000...70_000, using: &generator)
        #expect(Half(near).bitPattern == Float16(near).bitPattern, "\(near)")
        let small = Float.random(in: -1e-4...1e-4, using: &generator)
        #expect(Half(small).bitPattern == Float16(small).bitPattern, "\(small)")
        let double = Double(small) * 1.000_000_01
        #expect(Half(double).bitPattern == Float16(double).bitPattern, "\(double)")
      }
    }
  #endif

  @Test func tiesGoToEven() {
    // Halves near 1 are 2⁻¹⁰ apart.
    #expect(Half(1 + 0x1p-11 as Float).float == 1)
    #expect(Half(1 + 0x3p-11 as Float).float == 1 + 0x2p-10)
    #expect(BFloat16(1 + 0x1p-8 as Float).float == 1)
    #expect(BFloat16(1 + 0x3p-8 as Float).float == 1 + 0x2p-7)
  }

  /// By way of a rounded float, both would fall on a tie and go down.
  @Test func aDoubleIsRoundedOnce() {
    #expect(Half(1 + 0x1p-11 + 0x1p-40).float == 1 + 0x1p-10)
    #expect(BFloat16(1 + 0x1p-8 + 0x1p-40).float == 1 + 0x1p-7)
    #expect(BFloat16(-(1 + 0x1p-8 + 0x1p-40)).float == -(1 + 0x1p-7))
    #expect(BFloat16(0.0).bitPattern == 0 && BFloat16(-0.0).bitPattern == 0x8000)
    #expect(BFloat16(1e300).float == .infinity && Half(-1e300).float == -.infinity)
    #expect(BFloat16(1e-300).float == 0 && Half(1e-300).float == 0)
  }

  @Test func theEndsOfTheRange() {
    #expect(Half(65_519 as Float).float == 65_504)
    #expect(Half(65_520 as Float).float == .infinity)
    #expect(Half(0x1p-25 as Float).float == 0)
    #expect(Half(0x1.8p-25 as Float).float == 0x1p-24)
    #expect(Half(Float.nan).float.isNaN && BFloat16(Float.nan).float.isNaN)
    // A NaN whose only bit is the last one must not become infinity.
    #expect(BFloat16(Float(bitPattern: 0x7F80_0001)).float.isNaN)
    #expect(Half(Float(bitPattern: 0x7F80_0001)).float.isNaN)
    #expect(BFloat16(Float.greatestFiniteMagnitude).float == .infinity)
    #expect(BFloat16(-Float.infinity).float == -.infinity)
  }

  @Test func everyBFloat16SurvivesAFloat() {
    for pattern in UInt16.min...UInt16.max where !BFloat16(bitPattern: pattern).float.isNaN {
      #expect(BFloat16(BFloat16(bitPattern: pattern).float).bitPattern == pattern)
    }
  }

  @Test func tensorsAreRoundedAndWidened() {
    let tensor = Tensor([1 + 0x1p-11, -2, .infinity, 0.1], shape: [4])
    let half = tensor.rounded(to: .float16)
    #expect(half.elementType == .float16)
    #expect(half.elements(as: Float.self)[..<3] == [1, -2, .infinity])
    #expect(half.double(at: 3) == 0.0999755859375)
    #expect(half.rounded(to: .float32).elementType == .float32)
    #expect(tensor.rounded(to: .bfloat16).double(at: 3) == 0.10009765625)
  }
}

@Suite struct ArithmeticTests {
  @Test func theCoarserOfTwoDecides() {
    #expect(Arithmetic.float32.coarser(.float64) == .float32)
    #expect(Arithmetic.float16.coarser(.bfloat16) == .bfloat16)
    #expect(Arithmetic.float64.coarser(.float64) == .float64)
  }

  @Test func weComputeNoNarrowerThanFloat32() {
    for arithmetic in Arithmetic.allCases {
      let expected: ElementType = arithmetic == .float64 ? .float64 : .float32
      #expect(arithmetic.computation == expected)
      #expect(arithmetic.storage.isFloatingPoint)
    }
    #expect(Arithmetic(of: .int64) == nil && Arithmetic(of: .bfloat16) == .bfloat16)
  }
}
