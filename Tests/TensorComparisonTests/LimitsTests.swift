import TensorCore
import Testing

@testable import TensorComparison

@Suite struct LimitsTests {
  private static let everyLimit: [Limits] = [
    .bits, .bound(rtol: 0, atol: 0), .bound(rtol: 1.3e-6, atol: 1e-5),
    .bound(rtol: 1e300, atol: 1e300),
  ]

  @Test(arguments: everyLimit)
  func sameSpecialValuesPass(limits: Limits) {
    for value in [Double.nan, .infinity, -.infinity, 0, -0.0, 1, .leastNonzeroMagnitude] {
      #expect(limits.pass(value, value), "\(value)")
    }
  }

  @Test(arguments: everyLimit)
  func nonFiniteNeverPassesAgainstAnythingElse(limits: Limits) {
    let values: [Double] = [.nan, .infinity, -.infinity, 0, 1, -1]
    for (index, actual) in values.enumerated() {
      for (other, expected) in values.enumerated() where index != other {
        guard !actual.isFinite || !expected.isFinite else { continue }
        #expect(!limits.pass(actual, expected), "\(actual) against \(expected)")
      }
    }
  }

  @Test func boundIsTheFormulaOfTorchTesting() {
    let limits = Limits.bound(rtol: 0.1, atol: 0.5)
    #expect(limits.allowed(at: -10) == 1.5)
    #expect(limits.pass(-8.5, -10))
    #expect(!limits.pass(-8.49, -10))
    // The bound follows the expected side: not the other way round.
    #expect(limits.pass(-11.5, -10))
    #expect(!limits.pass(-10, -8.45))
  }

  @Test func bitsTellZerosApart() {
    #expect(!Limits.bits.pass(0, -0.0))
    #expect(Limits.bound(rtol: 0, atol: 0).pass(0, -0.0))
    #expect(!Limits.bits.pass(1, 1.nextUp))
  }

  @Test func torchRuleIsTheTableOfTorchTesting() {
    #expect(ToleranceRule.torch.limits(for: .float32) == .bound(rtol: 1.3e-6, atol: 1e-5))
    #expect(ToleranceRule.torch.limits(for: .float64) == .bound(rtol: 1e-7, atol: 1e-7))
    #expect(ToleranceRule.exact.limits(for: .float32) == .bits)
    #expect(
      ToleranceRule.explicit(rtol: 1, atol: 2).limits(for: .float64) == .bound(rtol: 1, atol: 2))
  }

  @Test func loosenedIsNoTighterThanEither() {
    let limits = Limits.bound(rtol: 1, atol: 4).loosened(to: .bound(rtol: 2, atol: 3))
    #expect(limits == .bound(rtol: 2, atol: 4))
    #expect(Limits.bits.loosened(to: .bound(rtol: 2, atol: 3)) == .bound(rtol: 2, atol: 3))
  }
}
