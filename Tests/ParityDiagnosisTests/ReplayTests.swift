import FixtureSupport
import ParityFixtures
import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityDiagnosis

@Suite struct ReplayTests {
  private func chain(_ seed: UInt64) throws -> Chain { Chain(try RandomModule(seed: seed).call) }

  /// Without a mistake, a replay is the oracle.
  @Test(arguments: 0..<150 as Range<UInt64>)
  func withoutMistakeIsTheOracle(seed: UInt64) throws {
    let chain = try chain(seed)
    #expect(isSame(try Replay(chain).results(), try chain.oracleResults(), within: 1e-12))
  }

  @Test(arguments: FixtureSuite.chains.map(\.location.name))
  func aChainsReplayIsTheChain(name: String) throws {
    let chain = try #require(FixtureSuite.named(name).chain)
    #expect(isSame(try Replay(chain).results(), try chain.oracleResults(), within: 1e-12))
  }

  /// Every mistake of a recurrent module changes something in some module, or says why it
  /// can't; and a replay tells the noise of just the tensors that it gives, about what it
  /// gives.
  @Test(arguments: ReplayTests.visible.map(\.name))
  func changesSomething(name: String) throws {
    let mistake = Mistake.named(name)
    var changed = 0
    for seed in 0..<60 as Range<UInt64> {
      let chain = try chain(seed)
      var replay = Replay(chain)
      do throws(NotApplicable) {
        try mistake.apply(to: &replay, in: [0])
      } catch {
        #expect(!error.need.isEmpty)
        continue
      }
      let right = try chain.oracleResults()
      let wrong = try replay.results()
      // Moves of right results are the moves of a run.
      #expect(isSame(try replay.results(of: right), wrong, within: 1e-12))
      let noise = try CaseNoise(replay.variant, keepsValues: true)
      for (name, tensor) in wrong.named {
        let values = try #require(noise.values(name), "\(name)")
        #expect(values.shape == tensor.shape)
        guard values.shape == tensor.shape else { continue }
        let difference = TensorDifference(
          of: values, from: tensor, within: .bound(rtol: 1e-9, atol: 1e-9))
        #expect(difference.agrees, "seed \(seed), \(name)")
      }
      changed += isSame(wrong, right, within: 1e-9) ? 0 : 1
    }
    #expect(changed > 0)
  }

  /// Those of rounding differ by less than can be told here, and random modules are no streams.
  private static let visible = Mistake.all.filter { mistake in
    !mistake.isOfChains
      && !(PrecisionMistakes.all + StreamMistakes.all).contains { $0.name == mistake.name }
  }

  private func isSame(_ a: Results, _ b: Results, within bound: Double) -> Bool {
    a.names == b.names
      && zip(a.named, b.named).allSatisfy { a, b in
        a.tensor.shape == b.tensor.shape
          && TensorDifference(
            of: a.tensor, from: b.tensor, within: .bound(rtol: bound, atol: bound)
          ).agrees
      }
  }

  /// Each name is one mistake's; sentences are there and end without a full stop, since
  /// they are put together.
  @Test func mistakesAreTold() {
    #expect(Set(Mistake.all.map(\.name)).count == Mistake.all.count)
    #expect(Mistake.all.count > 100)
    for mistake in Mistake.all {
      #expect(!mistake.summary.isEmpty && !mistake.advice.isEmpty)
      #expect(!mistake.advice.hasSuffix("."), "\(mistake.name)")
    }
  }

  /// What is measured of a module whose results are moved about is what is measured of it
  /// otherwise, in other places.
  @Test func movedNoiseIsTheSameInAnotherPlace() throws {
    let chain = try #require(FixtureSuite.named("lstm-stacked-bidirectional").chain)
    let right = try CaseNoise(ChainVariant(chain), keepsValues: true)
    var replay = Replay(chain)
    try Mistake.named("output-halves-swapped").apply(to: &replay, in: [0])
    let moved = try CaseNoise(replay.variant, keepsValues: true)
    func sigma(_ noise: CaseNoise) throws -> Tensor {
      let values = try #require(noise.values("output"))
      let limits = noise.limits(
        SidePair(.reference, against: .oracle), "output", exact: values, stored: .float32)
      return Tensor(limits.sigma, shape: values.shape)
    }
    let expected: [Double] = try sigma(right).halvesExchanged.elements()
    #expect(try sigma(moved).elements() == expected)
  }
}
