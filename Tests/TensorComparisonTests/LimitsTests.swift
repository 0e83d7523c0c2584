import TensorCore
import Testing

@testable import TensorComparison

@Suite struct LimitsTests {
  private static let everyLimit: [Limits] = [
    .bits, .bound(rtol: 0, atol: 0), .bound(rtol: 1.3e-6, atol: 1e-5),
    .bound(rtol: 1e300, atol: 1e300), noise(0), noise(1e-9), noise(1e300),
  ]

  private static func noise(_ sigma: Double) -> Limits {
    .noise(NoiseLimits(sigma: [sigma], isJudged: [true]))
  }

  @Test(arguments: everyLimit)
  func sameSpecialValuesPass(limits: Limits) {
    for value in [Double.nan, .infinity, -.infinity, 0, -0.0, 1, .leastNonzeroMagnitude] {
      #expect(limits.pass(value, value, offset: 0), "\(value)")
    }
  }

  @Test(arguments: everyLimit)
  func nonFiniteNeverPassesAgainstAnythingElse(limits: Limits) {
    let values: [Double] = [.nan, .infinity, -.infinity, 0, 1, -1]
    for (index, actual) in values.enumerated() {
      for (other, expected) in values.enumerated() where index != other {
        guard !actual.isFinite || !expected.isFinite else { continue }
        #expect(!limits.pass(actual, expected, offset: 0), "\(actual) against \(expected)")
      }
    }
  }

  @Test func boundIsTheFormulaOfTorchTesting() {
    let limits = Limits.bound(rtol: 0.1, atol: 0.5)
    #expect(limits.allowed(at: -10, offset: 0) == 1.5)
    #expect(limits.pass(-8.5, -10, offset: 0))
    #expect(!limits.pass(-8.49, -10, offset: 0))
    // The bound follows the expected side: not the other way round.
    #expect(limits.pass(-11.5, -10, offset: 0))
    #expect(!limits.pass(-10, -8.45, offset: 0))
  }

  @Test func noiseAllowsEightSigma() {
    let limits = Self.noise(0.5)
    #expect(limits.allowed(at: 100, offset: 0) == 4)
    #expect(limits.pass(104, 100, offset: 0) && !limits.pass(104.1, 100, offset: 0))
    // Without a σ nothing is rounded.
    #expect(!Self.noise(0).pass(1.0.nextUp, 1, offset: 0))
  }

  /// The slack is for single elements, and not for all of them together.
  @Test func slackIsOfSingleElements() {
    var own = NoiseLimits(sigma: [1e-3], isJudged: [true])
    own.elementSlack = 1.5
    #expect(Limits.noise(own).pass(1 + 0.011, 1, offset: 0))
    #expect(!Limits.noise(own).pass(1 + 0.013, 1, offset: 0))
    #expect(
      own.largestRMS(count: 9) == NoiseLimits(sigma: [1], isJudged: [true]).largestRMS(count: 9))
  }

  @Test func noiseOfTwoSidesAddsInSquares() {
    let one = NoiseLimits(sigma: [3, 0], isJudged: [true, true])
    let other = NoiseLimits(sigma: [4, 2], isJudged: [true, false])
    #expect(one.combined(with: other).sigma == [5, 2])
    #expect(one.combined(with: other).isJudged == [true, false])
    #expect(one.combined(with: other).judgedShare == 0.5)
  }

  /// One element may be 8σ off, many together 2σ.
  @Test func rootMeanSquareIsHeldToLessTheMoreElementsThereAre() {
    let limits = NoiseLimits(sigma: [], isJudged: [], independentCount: 1e9)
    #expect(limits.largestRMS(count: 1) == limits.largestZ)
    #expect(limits.largestRMS(count: 36) == 3)
    #expect(limits.largestRMS(count: 1_000_000) < 2.01)
    #expect(limits.with(largestZ: 4).largestRMS(count: 1) == 4)
    // Many that err alike count as one.
    let alike = NoiseLimits(sigma: [], isJudged: [], independentCount: 1)
    #expect(alike.largestRMS(count: 1_000_000) == alike.largestZ)
    #expect(limits.largestDrift(count: 36) == 2.25)
  }

  @Test func bitsTellZerosApart() {
    #expect(!Limits.bits.pass(0, -0.0, offset: 0))
    #expect(Limits.bound(rtol: 0, atol: 0).pass(0, -0.0, offset: 0))
    #expect(!Limits.bits.pass(1, 1.nextUp, offset: 0))
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
