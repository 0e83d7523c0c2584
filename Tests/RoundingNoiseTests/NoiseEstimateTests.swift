import RecurrentModel
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import RoundingNoise

@Suite struct NoiseEstimateTests {
  private func estimate(
    _ random: RandomModule, _ arithmetic: Arithmetic = .float32, replicas: Int = 16
  ) throws -> [String: NoiseLimits] {
    try limits(
      NoiseEstimate.measure(
        ChainVariant(Chain(random.call)), RoundingModel(arithmetic), replicas: replicas))
  }

  private func limits(_ noise: NoiseEstimate) -> [String: NoiseLimits] {
    let limits = ["output", "h_n", "c_n"].compactMap { name in
      noise[name].map { (name, $0.limits) }
    }
    return Dictionary(uniqueKeysWithValues: limits)
  }

  /// Every element has a σ of the size of a float's roundings, padding none.
  @Test(arguments: 0..<60 as Range<UInt64>)
  func coversEveryElementAndNoPadding(seed: UInt64) throws {
    let random = try RandomModule(seed: seed)
    let oracle = random.call.oracleOutputs
    let noise = try estimate(random)
    #expect(noise.values.allSatisfy { $0.isJudged.allSatisfy(\.self) })
    for (name, tensor) in oracle.named {
      let limits = try #require(noise[name])
      #expect(limits.sigma.count == tensor.count)
      for offset in 0..<tensor.count {
        let (sigma, value) = (limits.sigma[offset], tensor.double(at: offset))
        // A ReLU that is off is off in every replica, unless it is on the edge.
        guard value != 0 else { continue }
        #expect(sigma > abs(value) * 0x1p-27 && sigma < 1e-4, "\(name) \(offset)")
      }
    }
    if let packing = random.input.packing, let output = noise["output"] {
      let contract = LayoutContract(
        random.configuration, layout: random.input.outputLayout, packing: packing)
      let padding = try #require(contract.identities.last)
      #expect(padding.outputOffsets.allSatisfy { output.sigma[$0] == 0 && output.isJudged[$0] })
    }
  }

  /// Without their errors, the replicas are the oracle.
  @Test(arguments: 0..<60 as Range<UInt64>)
  func errsAboutTheOracle(seed: UInt64) throws {
    let random = try RandomModule(seed: seed)
    let noise = try NoiseEstimate.measure(
      ChainVariant(Chain(random.call)), RoundingModel(.float32), keepsValues: true)
    for (name, tensor) in random.call.oracleOutputs.named {
      let result = try #require(noise[name])
      #expect(result.shape == tensor.shape && result.values.count == tensor.count)
      for (offset, value) in result.values.enumerated() {
        let expected = tensor.double(at: offset)
        #expect(abs(value - expected) <= 1e-12 * max(1, abs(expected)), "\(name) \(offset)")
      }
    }
  }

  @Test func isTheSameInEveryRun() throws {
    let random = try RandomModule(seed: 11)
    let first = try estimate(random)
    #expect(try !first.isEmpty && first == estimate(random))
    #expect(try first != estimate(random, replicas: 32))
  }

  /// More replicas tell the same σ more sharply.
  @Test func moreReplicasAgreeWithFewer() throws {
    let random = try RandomModule(seed: 5)
    let few = try #require(estimate(random)["h_n"]).sigma
    let many = try #require(estimate(random, replicas: 512)["h_n"]).sigma
    for (a, b) in zip(few, many) where b > 0 { #expect((0.4...1.8).contains(a / b)) }
  }

  /// Doubles err as floats do, 2²⁹ times less.
  @Test func doublesHaveThirtyBitsLessNoise() throws {
    let random = try RandomModule(seed: 3)
    let (float, double) = (try estimate(random), try estimate(random, .float64))
    for (a, b) in zip(
      try #require(float["output"]).sigma, try #require(double["output"]).sigma)
    where a > 0 {
      #expect((0.2...5).contains(a / b / 0x1p29))
    }
  }
}
