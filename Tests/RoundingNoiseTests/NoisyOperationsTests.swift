import RecurrentModel
import TensorCore
import Testing

@testable import RoundingNoise

@Suite struct NoisyCellTests {
  /// Rows of equal weights make the same sums and so the same errors. Where a bias differs, only
  /// a part of the errors is the same.
  @Test func equalRowsErrAlike() {
    let equal = [0.1, 0.2, 0.3]
    let weights = Tensor(equal + equal + [0.2, 0.1, 0.3] + equal, shape: [4, 3])
    let bias = Tensor([0.5, 0.7, 0.5, 0.5], shape: [4])
    let noise = NoisyOperations(
      model: RoundingModel(.float32), emulation: nil,
      draws: NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 4), step: 0)
    let product = NoisyMatrix(ScanMatrix(weights, bias: bias), nil)
      .product(with: NoisyVector([1, 2, 3]), noise, .hiddenProduct)
    func errors(_ row: Int) -> Replicas { product[row].replicas - product[row].value }
    func correlation(_ a: Int, _ b: Int) -> Double {
      let (one, other) = (errors(a), errors(b))
      return (one * other).sum() / ((one * one).sum() * (other * other).sum()).squareRoot()
    }
    #expect(errors(0) == errors(3))
    #expect(correlation(0, 1) > 0.4 && correlation(0, 1) < 0.99)
    #expect(abs(correlation(0, 2)) < 0.5)
  }

  /// Off, but so near the edge that a float's error can switch it on.
  @Test func anOffReLUNearItsEdgeHasASigma() {
    let noise = NoisyOperations(
      model: RoundingModel(.float32), emulation: nil,
      draws: NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 1), step: 0)
    func least(_ value: Double) -> Double {
      var replicas = Replicas(repeating: value)
      for replica in replicas.indices { replicas[replica] += replica % 2 == 0 ? 1 : -1 }
      return noise.relu(NoisyNumber(value: value, replicas: replicas)).least
    }
    #expect(least(-4) == 0.5)  // 8σ reach to 4, an eighth of which is σ
    #expect(least(-8) == 0 && least(-20) == 0 && least(3) == 0)
  }

  /// Nor is that σ lost where the two directions are joined.
  @Test(arguments: zip(ChainModule.MergeMode.allCases, [[0.5, 0.25], [0.75], [1], [0.375]]))
  func anOffReLUKeepsItsSigmaInAMerge(mode: ChainModule.MergeMode, expected: [Double]) {
    let noise = NoisyOperations(
      model: RoundingModel(.float32), emulation: nil,
      draws: NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 1), step: 0)
    func vector(_ value: Double, least: Double) -> NoisyVector {
      NoisyVector([value], replicas: [Replicas(repeating: value)], least: [least])
    }
    #expect(noise.merged(vector(2, least: 0.5), vector(1, least: 0.25), mode).least == expected)
  }
}

@Suite struct SilentModuleTests {
  /// What is exactly zero errs by nothing, and nothing grows out of it.
  @Test func zerosHaveNoError() {
    let weights = Tensor([1e9, -1e9], shape: [2, 1])
    let noise = NoisyOperations(
      model: RoundingModel(.float32), emulation: nil,
      draws: NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 2), step: 0)
    let product = NoisyMatrix(ScanMatrix(weights, bias: nil), nil)
      .product(with: NoisyVector([0]), noise, .hiddenProduct)
    let zero = NoisyNumber(value: 0, replicas: .zero)
    for number in [
      product[0], noise.sum(zero, zero, .gateSum, 0), noise.tanh(zero, .gate, 0),
      noise.product(zero, NoisyNumber(value: 3, replicas: Replicas(repeating: 3)), .kept, 0),
    ] {
      #expect(number.replicas == .zero)
    }
    // A term that underflows is another matter.
    let tiny = NoisyMatrix(ScanMatrix(weights, bias: nil), nil)
      .product(with: NoisyVector([1e-300]), noise, .hiddenProduct)
    #expect(tiny[0].replicas.rootMeanSquare >= 0x1p-149 / 4)
  }
}
