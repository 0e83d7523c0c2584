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
    #expect(model.sigmoid(0) > model.tanh(0))
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
