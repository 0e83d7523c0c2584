import FixtureSupport
import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorCore
import Testing

@testable import ParityDiagnosis

/// Mistakes planted into chains are named.
@Suite struct ChainDiagnosisTests {
  private func diagnosis(
    _ parityCase: ParityCase, _ wrong: Results, resultAlone: Bool = false,
    _ effort: Diagnostician.Effort = .fast
  ) -> (result: CaseResult, names: [[String]]) {
    let request = parityCase.outputsRequest
    let known = resultAlone ? ["output"] : request.required + request.optional
    let outputs = Dictionary(
      uniqueKeysWithValues: wrong.only(known).named.map {
        ($0.name, $0.tensor.rounded(to: parityCase.chain?.arithmetic.storage ?? .float32))
      })
    let result = Judge(diagnostician: Diagnostician(effort)).judge(
      parityCase, SuppliedOutputs(outputs, for: request))
    return (result, result.diagnosis?.explanations.map(\.names) ?? [])
  }

  @Test(arguments: Mistake.all.filter(\.isOfChains).map(\.name), [false, true])
  func eachIsNamedWhereItApplies(name: String, resultAlone: Bool) throws {
    let mistake = Mistake.named(name)
    var count = 0
    for parityCase in FixtureSuite.chains {
      guard let chain = parityCase.chain else { continue }
      for place in mistake.places(in: chain) {
        var replay = Replay(chain)
        guard (try? mistake.apply(to: &replay, in: [place])) != nil else { continue }
        let found = diagnosis(parityCase, try replay.results(), resultAlone: resultAlone)
        guard found.result.status == .failed else { continue }
        #expect(found.names.contains([name]), "\(parityCase.location.name): \(found.names)")
        count += 1
      }
    }
    #expect(count > 0)
  }

  @Test(arguments: ["gates-ifog", "bias-hh-dropped", "output-halves-swapped", "forget-bias-one"])
  func mistakesWithinAModuleAreNamedFromTheResultAlone(name: String) throws {
    let parityCase = try FixtureSuite.named("sequential-lstm-tagger")
    let wrong = try parityCase.results(with: [.named(name)])
    let found = diagnosis(parityCase, wrong, resultAlone: true)
    #expect(found.names.contains([name]))
    let sentence = try #require(found.result.diagnosis?.explanations.first?.sentence)
    #expect(sentence.contains(" with, in bilstm (LSTM), "))
  }

  /// Where the frameworks are known that do so, a chain's sentence says so too.
  @Test func whereItIsSeenIsToldOfAChainToo() throws {
    let parityCase = try FixtureSuite.named("sequential-lstm-tagger")
    let found = diagnosis(parityCase, try parityCase.results(with: [.named("gates-ifog")]))
    let sentence = try #require(found.result.diagnosis?.explanations.first?.sentence)
    #expect(sentence.contains("(seen in Core ML and ncnn)"), "\(sentence)")
  }

  /// What a case states of its activations holds of each of its modules too.
  @Test func aModuleKeepsHowItsActivationsAreComputed() throws {
    let given = try #require(try FixtureSuite.named("sequential-two-modules").chain)
    let chain = try Chain(given.modules, input: given.input, in: given.arithmetic, .absolute)
    let right = try Truth(chain).results
    let failure = Failure(
      chain: chain, side: .reference, outputs: right, oracle: right,
      firstDiffering: chain.firstRecurrent)
    #expect(failure.ofFirstDiffering?.failure.chain.activations == .absolute)
  }

  /// In one of two recurrent modules, or in both.
  @Test func theModuleIsTold() throws {
    let parityCase = try FixtureSuite.named("sequential-two-modules")
    let chain = try #require(parityCase.chain)
    let mistake = Mistake.named("biases-dropped")
    let places = mistake.places(in: chain)
    #expect(places.count == 2)
    for (modules, words) in [
      (places, "in every recurrent module"), ([places[0]], "in \(chain.modules[places[0]].name)"),
      ([places[1]], "in \(chain.modules[places[1]].name)"),
    ] {
      var replay = Replay(chain)
      try mistake.apply(to: &replay, in: modules)
      let found = diagnosis(parityCase, try replay.results(), resultAlone: true)
      let sentence = found.result.diagnosis?.explanations.first?.sentence
      #expect(sentence?.contains(words) == true, "\(sentence ?? "none")")
    }
  }

  @Test func nothingExplainsAnElementThatIsOff() throws {
    let parityCase = try #require(FixtureSuite.chains.first)
    var wrong = parityCase.reference
    wrong["output"] = wrong["output"]?.mapping { $0 == 0 ? $1 + 0.01 : $1 }
    let found = diagnosis(parityCase, wrong, resultAlone: true, .full)
    #expect(found.result.status == .failed)
    let diagnosis = try #require(found.result.diagnosis)
    #expect(diagnosis.explanations.isEmpty && diagnosis.start == nil)
  }

  @Test(arguments: [(0.0, "0"), (.nan, "NaN")])
  func outputsOfOneValueAreSaidToBe(value: Double, word: String) throws {
    let parityCase = try FixtureSuite.named("sequential-lstm-tagger")
    let blank = parityCase.reference.mapping { $1.mapping { _, _ in value } }
    let found = diagnosis(parityCase, blank)
    #expect(
      found.result.diagnosis?.suspicion
        == "every element of the outputs is \(word): was anything written?")
  }

  /// As an accelerator stores them that computes in 16 bits.
  @Test func outputsThatWereStoredInSixteenBitsAreSaidToBe() throws {
    let parityCase = try FixtureSuite.named("sequential-lstm-tagger")
    let coarse = parityCase.reference.mapping { $1.rounded(to: .float16) }
    let outputs = Dictionary(uniqueKeysWithValues: coarse.named.map { ($0.name, $0.tensor) })
    let result = Judge(diagnostician: Diagnostician(.fast)).judge(
      parityCase, SuppliedOutputs(outputs, for: parityCase.outputsRequest))
    #expect(result.status == .failed)
    #expect(result.diagnosis?.explanations.map(\.names) == [["stored-in-float16"]])
    #expect(result.diagnosis?.undeclared?.arithmetic == .float16)
  }

  @Test func aBrokenReferenceLayoutIsDiagnosed() throws {
    let parityCase = try FixtureSuite.named("sequential-lstm-tagger")
    let wrong = try parityCase.results(with: [.named("output-halves-swapped")])
      .only(parityCase.reference.names).stored(in: .float32)
    let result = Judge(diagnostician: Diagnostician(.fast)).judge(
      parityCase.with(reference: wrong))
    #expect(result.status == .invalid)
    let names = result.diagnosis?.explanations.map(\.names) ?? []
    #expect(names.contains(["output-halves-swapped"]), "\(names)")
  }

  @Test func aWrongShapeIsDiagnosed() throws {
    let parityCase = try FixtureSuite.named("keras-lstm-default")
    let wrong = try parityCase.results(with: [.named("merge-sum")])
    let found = diagnosis(parityCase, wrong)
    #expect(found.result.remarks.first?.hasPrefix("output: expected the shape") == true)
    #expect(found.names.contains(["merge-sum"]), "\(found.names)")
  }

  /// The tagger's results, its LSTM's own changed.
  private func tagger(
    _ mistakes: [String], changing change: (RecurrentOutput) -> RecurrentOutput = { $0 }
  ) throws -> CaseResult {
    let parityCase = try FixtureSuite.named("sequential-lstm-tagger")
    let chain = try #require(parityCase.chain)
    let wrong = try chain.results(in: .float64) { _, call in
      var replay = Replay(Chain(call))
      for name in mistakes { try? Mistake.named(name).apply(to: &replay, in: [0]) }
      return change((try? replay.results())?.outputs(of: "") ?? call.oracleOutputs)
    }
    return diagnosis(parityCase, wrong).result
  }

  @Test func twoMistakesWithinAModuleAreNamed() throws {
    let names = ["gates-ifog", "bias-ih-dropped"]
    let explanation = try #require(try tagger(names).diagnosis?.explanations.first)
    #expect(Set(explanation.names) == Set(names))
    #expect(explanation.sentence.hasPrefix("in bilstm (LSTM), the outputs are reproduced"))
  }

  /// One in a module and one behind it, from the result alone.
  @Test func twoMistakesInDifferentModulesAreNamed() throws {
    let parityCase = try FixtureSuite.named("sequential-lstm-tagger")
    let names = ["gates-ifog", "linear-bias-dropped"]
    let wrong = try parityCase.results(with: names.map(Mistake.named))
    let found = diagnosis(parityCase, wrong, resultAlone: true)
    #expect(found.names.map(Set.init).contains(Set(names)), "\(found.names)")
  }

  @Test func anUnknownMistakeIsPlacedWithinItsModule() throws {
    let result = try tagger([]) { right in
      right.with(
        output: right.output.map { output in
          output.mapping { $0 == output.count / 2 ? $1 + 0.01 : $1 }
        })
    }
    let diagnosis = try #require(result.diagnosis)
    #expect(diagnosis.explanations.isEmpty)
    #expect(diagnosis.start?.module == "bilstm (LSTM)")
    #expect(diagnosis.start?.unit != nil && diagnosis.start?.step != nil)
  }
}
