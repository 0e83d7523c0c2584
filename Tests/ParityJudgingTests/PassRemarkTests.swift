import FixtureSupport
import ParityFixtures
import RecurrentEngine
import RecurrentModel
import TensorCore
import Testing

@testable import ParityJudging

/// What is said of passes that say little. `tools/tests/test_weak_passes.py` makes more of them.
@Suite struct PassRemarkTests {
  private func remarks(_ parityCase: ParityCase) -> [String] {
    let result = Judge().judge(parityCase)
    return result.status == .passed ? result.remarks : ["not passed"]
  }

  @Test(arguments: ["lstm-packed", "gru", "rnn-relu", "sequential-lstm-tagger"])
  func ordinaryCasesHaveNone(name: String) throws {
    #expect(remarks(try FixtureSuite.named(name)) == [])
  }

  @Test func aStepFromZerosDoesNotUseAllWeights() throws {
    let remarks = remarks(try FixtureSuite.named("gru-cell-no-initial-state"))
    #expect(remarks == ["one step from zeros does not use weight_hh"])
  }

  @Test func oneChunkHandsOverNothing() throws {
    let parityCase = try FixtureSuite.named("lstm-chunks")
    let chain = try #require(parityCase.chain)
    let input = ChainInput(
      chain.input.tensor, h0: chain.input.h0, c0: chain.input.c0, chunks: Chunks([10]))
    let once = parityCase.with(
      chain: try Chain(chain.modules, input: input, in: chain.arithmetic))
    #expect(remarks(parityCase) == [])
    #expect(remarks(once) == ["one chunk hands over no states"])
  }

  @Test func aResultThatIgnoresTheInputIsTold() throws {
    let parityCase = try FixtureSuite.named("gru")
    let call = try #require(parityCase.call)
    let parameters = call.stateDict.tensors.mapValues { $0 }
    let shut = Dictionary(
      uniqueKeysWithValues: parameters.map { name, tensor in
        (name, name.hasPrefix("weight_ih") ? tensor.changing { $0 = $0.map { _ in 0 } } : tensor)
      })
    let deaf = call.with(
      stateDict: try StateDict(shut, checkedAgainst: call.configuration))
    let own = Engine.forwardPass(deaf).outputs(for: deaf.input)
    let remarks = remarks(ParityCase(deaf, named: "gru", parityCase.manifest, own))
    #expect(remarks == ["output, h_n would be the same for any input"])
  }

  /// A failure is only the expected one where what is named differs, and nothing else does.
  @Test func anotherFailureIsNotTheExpectedOne() throws {
    let expected = ExpectedFailure("known", outputs: ["c_n": 1])
    // Failed for another reason than a difference.
    let verdict = Verdict(.failed, ["a reason"]).expecting(expected, Findings())
    #expect(verdict.status == .failed)
    #expect(verdict.remarks.first == "expected to fail otherwise: c_n should differ, and does not")
    let anything = Verdict(.failed, ["a reason"]).expecting(ExpectedFailure("known"), Findings())
    #expect(anything.status == .skipped && anything.strict.status == .failed)
  }

  @Test func strictFailsWhatHasARemark() throws {
    let parityCase = try FixtureSuite.named("gru-cell-no-initial-state")
    #expect(Judge(strict: true).judge(parityCase).status == .failed)
    #expect(Judge(strict: true).judge(try FixtureSuite.named("gru")).status == .passed)
  }
}
