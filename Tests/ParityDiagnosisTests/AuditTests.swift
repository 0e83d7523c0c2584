import FixtureSupport
import ParityFixtures
import ParityJudging
import RecurrentEngine
import RecurrentModel
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityDiagnosis

@Suite struct AuditTests {
  /// The repository's own fixtures see every bug that they can see.
  @Test func fixturesSeeEveryBug() {
    let audit = SetAudit(
      concurrentMap(FixtureSuite.locations.count) {
        CaseAudit(FixtureSuite.locations[$0])
      }, countingRare: true)
    #expect(audit.audited.count > 65)
    #expect(audit.applicable.count > 95)
    #expect(audit.survived.map(\.kind) == [])
    #expect(audit.unseen.map(\.kind) == [])
    #expect(audit.killedControls.isEmpty)
    #expect(audit.score == 1)
  }

  /// ONNX's own tests of recurrent operators have constant weights: no exchange of gates
  /// changes what they compute.
  @Test func constantWeightsSeeNoGates() throws {
    let audit = try CaseAudit(constant())
    let survived = audit.survived.map(\.kind)
    #expect(survived.count { $0.hasPrefix("gates-") && !$0.hasSuffix("interleaved") } == 23)
    #expect(survived.contains("weight-hh-transposed"))
    #expect(!survived.contains("first-step-skipped"))
    #expect(SetAudit([audit]).score < 1)
  }

  /// What shows in rare numbers only does not count where no case has such, unless it is asked for.
  @Test func rareNumbersCountOnlyWhereTheyAreAskedFor() throws {
    let location = try #require(FixtureSuite.locations.first { $0.name == "lstm-bidirectional" })
    let cases = [CaseAudit(location)]
    let rare = ["tanh-from-sigmoid", "subnormals-flushed"]
    let audit = SetAudit(cases)
    #expect(audit.rare.map(\.kind).sorted() == rare.sorted())
    #expect(audit.score == 1)
    let whole = SetAudit(cases, countingRare: true)
    #expect(whole.rare.isEmpty && whole.score < 1)
    #expect(Set(whole.survived.map(\.kind)) == Set(rare))
  }

  /// A tolerance below rounding fails what is right.
  @Test func controlsAreKilledByExactness() throws {
    let parityCase = try FixtureSuite.named("lstm-bidirectional")
    let exact = ParityCase(
      location: parityCase.location,
      manifest: try Manifest(
        parsing: """
          {"format": "pytorch-parity/1", "module": "LSTM", "arguments": {},
           "tolerance": {"rtol": 0, "atol": 0}}
          """),
      reference: parityCase.reference, layouts: parityCase.layouts, chain: parityCase.chain)
    let chain = try #require(exact.chain)
    let judge = try #require(OutputsJudge(exact))
    let controls = try Plant.controls(of: chain).map { control in
      let results = try control.results(of: chain)
      return try #require(results)
    }
    #expect(controls.count == 2)
    for control in controls { #expect(!judge.accepts(control)) }
    let noise = try #require(OutputsJudge(parityCase))
    for control in controls { #expect(noise.accepts(control)) }
  }

  /// What can't be seen says what would show it.
  @Test func unseenBugsSayWhatTheyNeed() throws {
    let location = try #require(FixtureSuite.locations.first { $0.name == "rnn" })
    let audit = SetAudit([CaseAudit(location)])
    let needs = Dictionary(
      audit.unseen.map { ($0.kind, $0.need) }, uniquingKeysWith: { first, _ in first })
    #expect(needs["gates-zrn"] == "a GRU")
    #expect(needs["output-halves-swapped"] == "bidirectional=True")
    #expect(needs["state-at-padded-step"] == "sequences of different lengths, packed")
  }

  @Test func whatDoesNotPassIsNotAudited() throws {
    let location = CaseLocation(name: "none", path: "/nowhere/none.npz")
    #expect(CaseAudit(location).obstacle?.contains("no such file") == true)
    let expected = try #require(
      FixtureSuite.locations.first { $0.name == "article-printed-input" })
    #expect(CaseAudit(expected).obstacle?.hasPrefix("skipped") == true)
  }

  /// A case whose weights are all 0.1.
  private func constant() throws -> ParityCase {
    let parityCase = try FixtureSuite.named("lstm-no-initial-state")
    let call = try #require(parityCase.call)
    let stateDict = try StateDict(
      call.stateDict.tensors.mapValues { $0.mapping { _, _ in 0.1 }.rounded(to: .float32) },
      checkedAgainst: call.configuration)
    let changed = call.with(stateDict: stateDict)
    let outputs = Engine.forwardPass(changed).outputs(for: changed.input)
    return parityCase.with(call: changed).with(outputs: outputs)
  }
}
