import TensorCore
import Testing

@testable import RoundingNoise

@Suite struct EmulationTests {
  @Test(arguments: [1.0, -1, 0x1p-7, -0x1p5])
  func cuttingOffGoesTowardsZero(scale: Double) {
    let cutting = Emulation(weights: .tf32, truncates: true)
    let u = Arithmetic.tf32.unitRoundoff
    #expect(cutting.weight(scale) == scale)
    #expect(cutting.weight(scale * (1 + 1.9 * u)) == scale)
    #expect(cutting.weight(scale * (1 + 3.5 * u)) == scale * (1 + 2 * u))
    #expect(cutting.weight(scale * (2 - 0.1 * u)) == scale * (2 - 2 * u))
    #expect(Emulation(weights: .tf32).weight(scale * (1 + 1.9 * u)) == scale * (1 + 2 * u))
  }

  @Test func flushingTakesSubnormalsAlone() {
    let flushing = Emulation(flushesSubnormals: true)
    #expect(flushing.result(0x1p-126) == 0x1p-126 && flushing.vector(-0x1p-127) == 0)
  }
}
