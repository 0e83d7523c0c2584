import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityDiagnosis

@Suite struct ReplayTests {
  private func call(_ seed: UInt64) throws -> RecurrentCall { try RandomModule(seed: seed).call }

  /// Without a mistake, a replay is the oracle.
  @Test(arguments: 0..<150 as Range<UInt64>)
  func withoutMistakeIsTheOracle(seed: UInt64) throws {
    let call = try call(seed)
    let oracle = call.oracleOutputs
    for (replayed, expected) in zip(Replay(call).outputs().named, oracle.named) {
      let difference = TensorDifference(
        of: replayed.tensor, from: expected.tensor, within: .bound(rtol: 1e-12, atol: 1e-13))
      #expect(difference.agrees, "\(replayed.name)")
    }
  }

  /// Every mistake changes something in some module, or says why it can't; and a replay
  /// tells the noise of just the tensors that it gives.
  @Test(arguments: Mistake.all.filter { !PrecisionMistakes.names.contains($0.name) }.map(\.name))
  func changesSomething(name: String) throws {
    let mistake = Mistake.named(name)
    var changed = 0
    for seed in 0..<60 as Range<UInt64> {
      let call = try call(seed)
      let right = Replay(call).outputs()
      var replay = Replay(call)
      do throws(NotApplicable) {
        try mistake.apply(to: &replay)
      } catch {
        #expect(!error.reason.isEmpty && !error.need.isEmpty)
        continue
      }
      let wrong = replay.outputs()
      let noise = replay.noise(storedLike: wrong)
      #expect(noise.map(\.sigma.count) == wrong.named.map(\.tensor.count))
      changed += isSame(wrong, right) ? 0 : 1
    }
    #expect(changed > 0)
  }

  private func isSame(_ a: RecurrentOutput, _ b: RecurrentOutput) -> Bool {
    zip(a.named, b.named).allSatisfy { a, b in
      a.tensor.shape == b.tensor.shape
        && TensorDifference(of: a.tensor, from: b.tensor, within: .bound(rtol: 0, atol: 1e-9))
          .agrees
    }
  }

  /// Each name is one mistake's; sentences are there and end without a full stop, since
  /// they are put together.
  @Test func mistakesAreTold() {
    #expect(Set(Mistake.all.map(\.name)).count == Mistake.all.count)
    #expect(Mistake.all.count > 90)
    for mistake in Mistake.all {
      #expect(!mistake.deed.isEmpty && !mistake.advice.isEmpty)
      #expect(!mistake.advice.hasSuffix("."), "\(mistake.name)")
    }
  }

  /// A merge's noise is that of its parts, and judged where both are.
  @Test(arguments: DirectionMerge.allCases)
  func mergesNoise(mode: DirectionMerge) {
    let shape: Shape = [1, 4]
    func outputs(_ elements: [Double]) -> RecurrentOutput {
      RecurrentOutput(
        output: Tensor(elements, shape: shape), hN: Tensor([0.0], shape: [1]), cN: nil)
    }
    let values = outputs([2, 3, 5, 7])
    let sigma = mode.merged(sigma: outputs([3, 0, 4, 1]), of: values).output
    let expected: [Double] =
      switch mode {
      case .sum: [5, 1]
      case .ave: [2.5, 0.5]
      // √((3·5)² + (4·2)²), √((0·7)² + (1·3)²)
      case .mul: [17, 3]
      }
    #expect(sigma?.elements() == expected)
  }
}
