import RealModule
import TensorCore
import Testing

@testable import RoundingNoise

@Suite struct RoundingModelTests {
  private func sum(_ terms: [Double]) -> ProductSum {
    var sum = ProductSum()
    for term in terms { sum.add(term) }
    return sum
  }

  @Test func oneRoundingIsUniformWithinAUnitRoundoff() {
    let model = RoundingModel(.float32)
    #expect(abs(model.rounding(3) / (3 * 0x1p-24 / 3.0.squareRoot()) - 1) < 1e-12)
    #expect(model.rounding(0) == 0x1p-149)
    #expect(model.rounding(.infinity) == 0 && model.rounding(.nan) == 0)
  }

  /// A product by 1 has no error; that of a gate and a tanh, which our engine computes in one
  /// division, only where both are 1.
  @Test func aGatedProductErrsUnlessBothAreOne() {
    let model = RoundingModel(.float32)
    #expect(model.product(0.3, 1) == 0)
    #expect(model.gatedProduct(0.3, 1) == model.rounding(0.3))
    #expect(model.gatedProduct(1, -1) == 0 && model.gatedProduct(0, 0.5) == 0)
  }

  /// Where tanh and the sigmoid saturate, libraries return 1, or the number below it: they err by
  /// what is missing to 1, and by hardly more.
  @Test func saturatedFunctionsErrByWhatIsMissingToOne() {
    let model = RoundingModel(.float32)
    let rest = 2 / (1 + Double.exp(18))
    #expect(model.tanh(9, 1 - rest) == rest && model.tanh(-9, rest - 1) == rest)
    #expect(model.sigmoid(30, 1 / (1 + .exp(-30))) == 0x1p-24 / 6)
    #expect(model.tanh(30, 1) == 0x1p-24 / 6)
    // Elsewhere by some units in the last place: at 0.75, of 2⁻²⁴.
    let usual = (8.0 / 3).squareRoot() * 0x1p-25
    #expect(abs(model.tanh(1, 0.75) / usual - 1) < 1e-12)
    #expect(abs(model.sigmoid(1, 0.75) / usual - 1) < 1e-12)
    // The exponential behind a sigmoid may flush to zero.
    #expect(model.sigmoid(-200, 0) == 0x1p-126 && model.tanh(1e-60, 1e-60) < 0x1p-126)
  }

  @Test func sumsAndProductsThatAreExactHaveNoError() {
    let model = RoundingModel(.float32)
    // The sum is rounded to a nearest number, and 2 is one.
    #expect(model.sum(2, 1e-12) == 1e-12 && model.sum(-1e-12, 2) == 1e-12)
    #expect(model.sum(2, 1) == model.rounding(3) && model.sum(0, 7) == 0)
    #expect(model.product(1, 0.3) == 0 && model.product(0.3, -1 + 1e-9) == 0)
    #expect(model.product(0, 0.3) == 0 && model.product(0.9, 0.3) == model.rounding(0.27))
  }

  /// Sums of integers are exact up to 2²⁴, and in float32 no further.
  @Test func smallIntegersHaveNoError() {
    let model = RoundingModel(.float32)
    #expect(model.isExact(sum([3, -2, 5]), granule: [3, -2, 5].granule))
    #expect(!model.isExact(sum([0x1p24, 1]), granule: 1))
    #expect(!model.isExact(sum([0.1, 0.2]), granule: [0.1, 0.2].granule))
    #expect([6.0, 0, 0.75].granule == 0.25 && [8.0].granule == 8)
    #expect([0.0].granule == .infinity && [1, .infinity].granule == 0)
    // In 16 bits the result is stored coarsely: 257 = 2⁸ + 1 is no bfloat16.
    #expect(!RoundingModel(.bfloat16).isExact(sum([256, 1]), granule: 1))
    #expect(RoundingModel(.bfloat16).isExact(sum([255, 1]), granule: 1))
  }

  /// Σp = 3, Σp² = 3, Σs² = 1 + 4 + 9, so that the order of the terms decides.
  @Test func aProductIsItsFormula() {
    let model = RoundingModel(.float32)
    let u = 0x1p-24
    let expected = (u * u / 3 * 14 + u * u / 3 * 9).squareRoot()
    #expect(abs(model.product(sum([1, 1, 1])) / expected - 1) < 1e-12)
    // Terms that cancel: Σs² = 1 + 0, below n/6·Σp² + n/3·a² = 2/3.
    let cancelling = model.product(sum([1, -1]))
    #expect(abs(cancelling / (u * u / 3 * 1).squareRoot() - 1) < 1e-12)
  }

  @Test func sixteenBitsAreStoredCoarselyAndSummedFinely() {
    let model = RoundingModel(.bfloat16)
    #expect(model.roundoff == 0x1p-8 && model.sumRoundoff == 0x1p-24 && model.operandRoundoff == 0)
    #expect(RoundingModel(.tf32).operandRoundoff == 0x1p-11)
    #expect(RoundingModel(.tf32).roundoff == 0x1p-24)
  }
}
