import Testing

@testable import TensorCore

@Suite struct RoundingTests {
  /// The neighbours of 1 are 1 ± u apart on either side, and what lies between goes to
  /// the nearer; a tie to the even one.
  @Test(arguments: Arithmetic.allCases.filter { $0 != .float64 })
  func numbersGoToTheNearest(arithmetic: Arithmetic) {
    let u = arithmetic.unitRoundoff
    for scale in [1.0, -1, 0x1p-10, -0x1p9] {
      #expect(arithmetic.nearest(to: scale * (1 + 0.9 * u)) == scale)
      #expect(arithmetic.nearest(to: scale * (1 + 1.1 * u)) == scale * (1 + 2 * u))
      #expect(arithmetic.nearest(to: scale * (1 + u)) == scale)
      #expect(arithmetic.nearest(to: scale * (1 + 3 * u)) == scale * (1 + 4 * u))
      #expect(arithmetic.nearest(to: scale * (1 - 0.4 * u)) == scale)
      #expect(arithmetic.nearest(to: scale * (2 - 0.5 * u)) == scale * 2)
    }
  }

  @Test(arguments: Arithmetic.allCases)
  func whatIsNotFiniteStays(arithmetic: Arithmetic) {
    #expect(arithmetic.nearest(to: .nan).isNaN)
    #expect(arithmetic.nearest(to: .infinity) == .infinity)
    #expect(arithmetic.nearest(to: -0.0).sign == .minus)
  }
}
