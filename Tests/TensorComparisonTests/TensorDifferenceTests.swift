import TensorCore
import Testing

@testable import TensorComparison

@Suite struct TensorDifferenceTests {
  private let limits = Limits.bound(rtol: 0, atol: 0.1)

  private func difference(_ actual: [Double], _ expected: [Double]) -> TensorDifference {
    TensorDifference(
      of: Tensor(actual, shape: [actual.count]), from: Tensor(expected, shape: [expected.count]),
      within: limits)
  }

  @Test func findsTheLargestDifferences() {
    let difference = difference([1, 2.5, 100, -4], [1, 2, 101, -4])
    #expect(difference.measured.largestAbsolute?.offset == 2)
    #expect(difference.measured.largestAbsolute?.value == 1)
    #expect(difference.measured.largestRelative?.offset == 1)
    #expect(difference.measured.largestRelative?.value == 0.25)
    #expect(difference.mismatched.count == 2)
    #expect(difference.firstMismatch?.offset == 1)
    #expect(difference.largestShare == 10)
    #expect(!difference.agrees)
  }

  @Test func nanNeverHidesTheLargestFiniteDifference() {
    let difference = difference([.nan, 1, 3], [0, 1, 2])
    #expect(difference.measured.largestAbsolute?.offset == 2)
    #expect(difference.measured.nonFiniteDisagreements == 1)
    #expect(difference.measured.finiteCount == 2)
    #expect(difference.mismatched.count == 2)
    #expect(difference.firstMismatch?.offset == 0)
  }

  @Test func equalNonFiniteElementsAgree() {
    let difference = difference([.nan, .infinity, -.infinity], [.nan, .infinity, -.infinity])
    #expect(difference.agrees)
    #expect(difference.measured.finiteCount == 0)
    #expect(difference.measured.nonFiniteDisagreements == 0)
    #expect(difference.measured.largestAbsolute == nil)
  }

  @Test func relativeDifferenceToZeroIsInfinite() {
    let difference = difference([0.01, 0], [0, 0])
    #expect(difference.measured.largestRelative?.value == .infinity)
    #expect(difference.agrees)
  }

  @Test func withinTheLimitsNothingIsMismatched() {
    let difference = difference([1.05], [1])
    #expect(difference.agrees)
    #expect(difference.mismatched.largestAbsolute == nil)
    #expect(difference.firstMismatch == nil)
    #expect(abs(difference.largestShare - 0.5) < 1e-12)
  }

  @Test func measuresULPInTheNarrowerType() {
    let one = Float(1)
    let actual = Tensor([one.nextUp.nextUp], shape: [1])
    let expected = Tensor([1.0], shape: [1])
    let difference = TensorDifference(of: actual, from: expected, within: limits)
    #expect(difference.measured.largestULP?.value == 2)
  }

  /// Every pair of types goes its own way through the comparison.
  @Test func comparesEveryPairOfTypes() {
    let numbers = Tensor([0.5, -2, .nan, 1.25], shape: [4])
    let types: [ElementType] = [.float16, .bfloat16, .float32, .float64]
    for actual in types {
      for expected in types {
        let changed = Tensor([0.5, -1, .nan, 1.25], shape: [4]).rounded(to: expected)
        let difference = TensorDifference(
          of: numbers.rounded(to: actual), from: changed, within: limits)
        #expect(difference.mismatched.count == 1 && difference.measured.finiteCount == 3)
        #expect(difference.firstMismatch?.offset == 1)
      }
    }
  }

  private func noise(_ differences: [Double], judged: [Bool]? = nil) -> TensorDifference {
    let limits = NoiseLimits(
      sigma: differences.map { _ in 1 }, isJudged: judged ?? differences.map { _ in true })
    return TensorDifference(
      of: Tensor(differences, shape: [differences.count]),
      from: Tensor(differences.map { _ in 0.0 }, shape: [differences.count]),
      within: .noise(limits))
  }

  /// Errors of one sign, or all toward zero, are no rounding, long before they are too large.
  @Test func errorsOfOneSignAreNoRounding() {
    let signs = (0..<400).map { $0 % 2 == 0 ? 1.0 : -1 }
    let scattered = noise(signs.map { 1.8 * $0 })
    #expect(scattered.agrees && scattered.noise?.drift == 0)
    let shifted = noise(signs.map { _ in 1.8 })
    #expect(!shifted.agrees && abs((shifted.noise?.drift ?? 0) - 1.8) < 1e-9)
    // 1.8σ too small in magnitude, each.
    let expected = Tensor(signs.map { 1000 * $0 }, shape: [400])
    let shrunk = TensorDifference(
      of: Tensor(signs.map { 998.2 * $0 }, shape: [400]), from: expected,
      within: .noise(
        NoiseLimits(
          sigma: Array(repeating: 1, count: 400), isJudged: Array(repeating: true, count: 400))))
    #expect(!shrunk.agrees && shrunk.mismatched.count == 0)
  }

  @Test func noiseIsMeasuredInSigma() {
    let difference = noise([3, -4, 0, 0])
    #expect(difference.noise?.largest?.value == 4 && difference.noise?.largest?.offset == 1)
    #expect(difference.noise?.rms == 2.5)
    #expect(difference.agrees)
    #expect(!noise([8.1]).agrees)
  }

  /// Each is within 8σ, and so many at once are no rounding.
  @Test func manySmallErrorsAreNoNoise() {
    #expect(noise(Array(repeating: 3, count: 4)).agrees)
    let many = noise(Array(repeating: 3, count: 400))
    #expect(many.mismatched.count == 0 && !many.agrees)
  }

  @Test func whatIsLostIsNotJudged() {
    let difference = noise([100, 1], judged: [false, true])
    #expect(difference.agrees && difference.measured.count == 1)
    #expect(!noise([100, 1]).agrees)
  }

  @Test func emptyTensorsAgreeAndCountNothing() {
    let difference = difference([], [])
    #expect(difference.agrees)
    #expect(difference.measured.count == 0)
  }
}

@Suite struct ULPDistanceTests {
  @Test func countsRepresentableValues() {
    #expect(ULPDistance.between(1, Double(Float(1).nextUp), in: .float32) == 1)
    #expect(ULPDistance.between(1, 1.0.nextUp, in: .float64) == 1)
    #expect(ULPDistance.between(0, -0.0, in: .float64) == 0)
    #expect(ULPDistance.between(1, 1 + 0x3p-10, in: .float16) == 3)
    #expect(ULPDistance.between(-0x1p-24, 0x1p-24, in: .float16) == 2)
    #expect(ULPDistance.between(1, 1 - 0x1p-8, in: .bfloat16) == 1)
    let least = Double(Float.leastNonzeroMagnitude)
    #expect(ULPDistance.between(-least, least, in: .float32) == 2)
  }

  @Test func doesNotOverflowAcrossTheWholeRange() {
    let greatest = Double.greatestFiniteMagnitude
    let distance = ULPDistance.between(-greatest, greatest, in: .float64)
    #expect(distance > 1.8e19 && distance < 1.9e19)
  }
}
