import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorCore
import Testing

@testable import ParityDiagnosis

/// Mistakes planted into chains are named.
@Suite struct SequentialDiagnosisTests {
  private static let chains: [SequentialCase] = FixtureSuite.locations.compactMap {
    if case .sequential(let chain) = try? LoadedCase.load($0) { chain } else { nil }
  }

  /// What the judge, with a diagnostician, says of the result alone or of all outputs.
  private func names(
    _ replay: SequentialReplay, _ chain: SequentialCase, resultAlone: Bool
  ) throws -> [String] {
    let wrong = try replay.outputs(for: chain.input, chain.arithmetic)
    let known = Set(chain.outputsRequest.required + chain.outputsRequest.optional)
    let outputs = Dictionary(
      uniqueKeysWithValues: wrong.named.filter {
        resultAlone ? $0.name == "output" : known.contains($0.name)
      }.map { ($0.name, $0.tensor.rounded(to: chain.arithmetic.storage)) })
    let result = Judge(diagnostician: Diagnostician(.fast)).judge(
      chain, SuppliedOutputs(outputs, for: chain.outputsRequest))
    // A wrong shape is said as such.
    guard result.status == .failed, !result.comparisons.isEmpty else { return [replay.name] }
    return result.diagnosis?.explanations.flatMap(\.names) ?? []
  }

  @Test(arguments: SequentialMistake.all.map(\.name), [false, true])
  func eachIsNamedWhereItApplies(name: String, resultAlone: Bool) throws {
    var count = 0
    for chain in Self.chains {
      for replay in SequentialReplay.all(of: chain.sequential)
      where replay.name == name && replay.mistake == nil {
        do {
          let names = try names(replay, chain, resultAlone: resultAlone)
          #expect(names.contains(name), "\(chain.location.name): \(names)")
          count += 1
        } catch is InvalidValue {
          // The next module can't take what the wrong one hands on.
        }
      }
    }
    #expect(count > 0)
  }

  @Test(arguments: ["gates-ifog", "bias-hh-dropped", "output-halves-swapped", "forget-bias-one"])
  func mistakesWithinAModuleAreNamedFromTheResultAlone(name: String) throws {
    let chain = try #require(
      Self.chains.first { $0.location.name == "sequential-lstm-tagger" })
    let replay = try #require(
      SequentialReplay.all(of: chain.sequential).first { $0.name == name })
    #expect(try names(replay, chain, resultAlone: true).contains(name))
  }

  @Test func nothingExplainsAnElementThatIsOff() throws {
    let chain = try #require(Self.chains.first)
    let output = try #require(chain.reference.last?.tensor)
    let wrong = output.mapping { $0 == 0 ? $1 + 0.01 : $1 }
    let result = Judge(diagnostician: Diagnostician(.full)).judge(
      chain, SuppliedOutputs(["output": wrong], for: chain.outputsRequest))
    #expect(result.status == .failed)
    let diagnosis = try #require(result.diagnosis)
    #expect(diagnosis.explanations.isEmpty && diagnosis.start == nil)
  }

  /// The tagger's results, its LSTM replaced.
  private func tagger(
    _ lstm: (inout Replay) throws -> Void, changing: (RecurrentOutput) -> RecurrentOutput = { $0 }
  ) throws -> CaseResult {
    let chain = try #require(
      Self.chains.first { $0.location.name == "sequential-lstm-tagger" })
    let wrong = try chain.sequential.outputs(for: chain.input, in: .float64, chain.arithmetic) {
      var replay = Replay($0)
      try lstm(&replay)
      return changing(replay.outputs())
    }
    let known = Set(chain.reference.map(\.name))
    let outputs = Dictionary(
      uniqueKeysWithValues: wrong.named.filter { known.contains($0.name) }.map {
        ($0.name, $0.tensor.rounded(to: chain.arithmetic.storage))
      })
    return Judge(diagnostician: Diagnostician(.fast)).judge(
      chain, SuppliedOutputs(outputs, for: chain.outputsRequest))
  }

  @Test func twoMistakesWithinAModuleAreNamed() throws {
    let names = ["gates-ifog", "bias-ih-dropped"]
    let result = try tagger { replay in
      for name in names { try Mistake.named(name).apply(to: &replay) }
    }
    let explanation = try #require(result.diagnosis?.explanations.first)
    #expect(Set(explanation.names) == Set(names))
    #expect(explanation.sentence.hasPrefix("in bilstm (LSTM), the outputs are reproduced"))
  }

  @Test func anUnknownMistakeIsPlacedWithinItsModule() throws {
    let result = try tagger({ _ in }) { right in
      let output = right.output.map { output in
        output.mapping { $0 == output.count / 2 ? $1 + 0.01 : $1 }
      }
      return RecurrentOutput(output: output, hN: right.hN, cN: right.cN)
    }
    let diagnosis = try #require(result.diagnosis)
    #expect(diagnosis.explanations.isEmpty)
    #expect(diagnosis.start?.module == "bilstm (LSTM)")
    #expect(diagnosis.start?.unit != nil && diagnosis.start?.step != nil)
  }
}
