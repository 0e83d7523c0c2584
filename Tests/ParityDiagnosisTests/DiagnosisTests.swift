import FixtureSupport
import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityDiagnosis

@Suite struct DiagnosisTests {
  private func names(_ parityCase: ParityCase, _ mistakes: String...) throws -> [[String]] {
    let outputs = try parityCase.results(with: mistakes.map(Mistake.named))
    let diagnosis = Diagnostician(.full).diagnose(try parityCase.failure(outputs))
    return diagnosis?.explanations.map(\.names) ?? []
  }

  /// In a case that shows it, each mistake is named, and where another is named first, it
  /// gives the same outputs.
  @Test(arguments: Mistake.all.filter { !$0.isOfChains }.map(\.name))
  func namesWhatWasDone(name: String) throws {
    let shown = FixtureSuite.plantable.filter { parityCase in
      guard let outputs = try? parityCase.results(with: [.named(name)]),
        outputs.named.allSatisfy({ $0.tensor.elements(as: Double.self).allSatisfy(\.isFinite) }),
        let judge = OutputsJudge(parityCase)
      else { return false }
      return !judge.accepts(outputs)
    }
    // The largest show most.
    let parityCase = try #require(
      shown.max { $0.outputs.hN.count < $1.outputs.hN.count }, "no fixture shows it")
    let found = try names(parityCase, name)
    // Some have a number behind their name.
    let named = found.contains { $0.count == 1 && $0[0].prefix { $0 != "(" } == name }
    #expect(named, "\(parityCase.location.name): \(found)")
  }

  /// A mistake that was made in some parameters alone is named with these, and never as the whole.
  @Test(arguments: [
    ParameterScope(part: .weightHH), ParameterScope(layer: 1), ParameterScope(direction: .reverse),
    ParameterScope(layer: 0, direction: .forward), ParameterScope(part: .biasIH, layer: 1),
    ParameterScope(part: .weightIH, layer: 1, direction: .reverse),
  ])
  func namesWhereItWasDone(scope: ParameterScope) throws {
    let parityCase = try FixtureSuite.named("lstm-stacked-bidirectional")
    var replay = Replay(try #require(parityCase.chain))
    try Mistake.named("gates-iofg").apply(to: &replay, in: [0], scope: scope)
    let outputs = try replay.results().stored(in: .float32)
    let diagnosis = try #require(
      Diagnostician(.fast).diagnose(try parityCase.failure(outputs)))
    #expect(
      diagnosis.explanations.map(\.names) == [["gates-iofg" + scope.suffix]],
      "\(diagnosis.explanations)")
    #expect(diagnosis.explanations.first?.sentence.contains(scope.text) == true)
  }

  /// Formulas of a step can be wrong in one layer or one direction alone.
  @Test(arguments: [
    ParameterScope(direction: .reverse), ParameterScope(layer: 1),
    ParameterScope(layer: 1, direction: .forward),
  ])
  func namesWhereFormulasAreWrong(scope: ParameterScope) throws {
    let parityCase = try FixtureSuite.named("lstm-stacked-bidirectional")
    for name in ["hard-sigmoid-keras-3", "cell-output-linear"] {
      var replay = Replay(try #require(parityCase.chain))
      try Mistake.named(name).apply(to: &replay, in: [0], scope: scope)
      let failure = try parityCase.failure(replay.results().stored(in: .float32))
      let diagnosis = try #require(Diagnostician(.fast).diagnose(failure))
      #expect(diagnosis.explanations.first?.names == [name + scope.suffix])
    }
  }

  /// What a scope leaves whole, or has nothing of, is no mistake of its own.
  @Test func aScopeMustNarrow() throws {
    let chain = try #require(FixtureSuite.named("lstm").chain)
    for (name, scope) in [
      ("gates-iofg", ParameterScope(layer: 0)), ("gates-iofg", ParameterScope(layer: 1)),
      ("forget-bias-one", ParameterScope(part: .biasHH)),
    ] {
      var replay = Replay(chain)
      #expect(throws: NotApplicable.self) {
        try Mistake.named(name).apply(to: &replay, in: [0], scope: scope)
      }
    }
  }

  @Test(arguments: [
    ["gates-iofg", "bias-hh-dropped"], ["gates-figo", "reverse-not-flipped-back"],
    ["initial-states-ignored", "final-states-directions-swapped"],
    ["weight-hh-transposed", "direction-parameters-swapped"],
  ])
  func namesBothOfTwo(pair: [String]) throws {
    let parityCase = try FixtureSuite.named("lstm-stacked-bidirectional")
    let found = try names(parityCase, pair[0], pair[1])
    #expect(found.map(Set.init).contains(Set(pair)), "\(found)")
  }

  /// Where a case is held to less than rounding makes, rounding is all that is wrong, and no
  /// way of rounding is blamed for it.
  @Test func roundingIsNoMistake() {
    var failed = 0
    for parityCase in FixtureSuite.plantable {
      let result = Judge(override: .exact, diagnostician: Diagnostician(.fast)).judge(parityCase)
      failed += result.status == .failed ? 1 : 0
      let names = result.diagnosis?.explanations.map(\.names) ?? []
      #expect(names.isEmpty, "\(parityCase.location.name): \(names)")
    }
    #expect(failed > 50)
  }

  /// Of outputs that nobody's mistake gives, no mistake is named.
  @Test func saysWhereAnUnknownOneStarts() throws {
    let parityCase = try FixtureSuite.named("lstm-bidirectional")
    let call = try #require(parityCase.call)
    var tensors = call.stateDict.tensors
    let weights = try #require(tensors["weight_ih_l0_reverse"])
    let (hidden, features) = (call.configuration.hiddenSize, call.configuration.inputSize)
    // Of unit 2's output gate.
    let offset = (3 * hidden + 2) * features + 3
    tensors["weight_ih_l0_reverse"] =
      weights.mapping { $0 == offset ? $1 + 0.05 : $1 }.rounded(to: .float32)
    let changed = call.with(
      stateDict: try StateDict(tensors, checkedAgainst: call.configuration)
    ).oracleOutputs.stored(in: .float32)
    let diagnosis = try #require(
      Diagnostician(.full).diagnose(try parityCase.failure(changed)))
    #expect(diagnosis.explanations.isEmpty)
    let start = try #require(diagnosis.start)
    #expect(start.layer == 0)
    #expect(start.direction == .reverse)
    #expect(start.step == call.input.layout.steps - 1)
    #expect(start.unit == 2)
  }

  @Test func saysThatOneElementIsOff() throws {
    let parityCase = try FixtureSuite.named("gru-bidirectional")
    let axes = try #require(parityCase.outputs.output?.shape.axes)
    // Step 1, sequence 2, reverse unit 3.
    let offset = (1 * axes[1] + 2) * axes[2] + axes[2] / 2 + 3
    let changed = parityCase.outputs.overwriting(offset, by: 0.1)
    let start = Diagnostician(.full).diagnose(try parityCase.failure(changed))?.start
    #expect(
      start?.description
        == "sequence 2, step 1, layer 0, reverse, unit 3: no other element of output is off")
  }

  /// The cell state tells the output gate from the others, after the last step.
  @Test(arguments: [(3, "o"), (1, nil)] as [(Int, String?)])
  func theCellStateTellsTheGate(gate: Int, expected: String?) throws {
    let parityCase = try FixtureSuite.named("lstm-cell")
    let call = try #require(parityCase.call)
    let hidden = call.configuration.hiddenSize
    var tensors = call.stateDict.tensors
    tensors["bias_ih"] = tensors["bias_ih"]?
      .mapping { $0 == gate * hidden + 4 ? $1 + 0.1 : $1 }.rounded(to: .float32)
    let changed = call.with(
      stateDict: try StateDict(tensors, checkedAgainst: call.configuration)
    ).oracleOutputs.stored(in: .float32)
    let start = Diagnostician(.full).diagnose(try parityCase.failure(changed))?.start
    #expect(start?.unit == 4)
    #expect(start?.gate == expected)
  }

  /// Outputs of shapes that a mistake makes are explained too.
  @Test func explainsOtherShapes() throws {
    let parityCase = try FixtureSuite.named("gru-bidirectional")
    #expect(try names(parityCase, "merge-sum").first == ["merge-sum"])
    #expect(try names(parityCase, "output-axes-exchanged").first == ["output-axes-exchanged"])
  }

  /// Whoever takes steps for sequences makes zeros for as many.
  @Test(arguments: ["gru-no-initial-state", "lstm-no-initial-state"])
  func zeroStatesDoNotHideTheOtherBatchFirst(name: String) throws {
    let parityCase = try FixtureSuite.named(name)
    let outputs = try parityCase.results(with: [.named("batch-first-mistaken")])
    let chain = try #require(parityCase.chain)
    let hN = parityCase.outputs.hN
    let zeros = Tensor([Float](repeating: 0, count: hN.count), shape: hN.shape)
    let c0 = parityCase.outputs.cN == nil ? nil : zeros
    let input = ChainInput(chain.input.tensor, h0: zeros, c0: c0)
    let withZeros = parityCase.with(
      chain: try Chain(chain.modules, input: input, in: chain.arithmetic))
    let diagnosis = try #require(
      Diagnostician(.fast).diagnose(try withZeros.failure(outputs)))
    #expect(diagnosis.explanations.map(\.names) == [["batch-first-mistaken"]])
  }

  @Test func offSaysNothing() throws {
    let parityCase = try FixtureSuite.named("gru")
    let outputs = try parityCase.results(with: [.named("gates-zrn")])
    #expect(Diagnostician(.off).diagnose(try parityCase.failure(outputs)) == nil)
  }

  /// Of a large batch some sequences are enough, and the place is still the whole's.
  @Test func aSampleKeepsItsPlaces() throws {
    let parityCase = try FixtureSuite.named("gru-batch-first")
    let call = try #require(parityCase.call)
    let failure = try parityCase.failure(parityCase.outputs.overwriting(0, by: 0.1))
    let sample = Evidence(failure).sample(work: 1)
    #expect(sample.chain.shapes.batch?.size == 1)
    #expect(sample.sequences.first == 0)
    #expect(sample.outputs["h_n"]?.shape.axes == [1, 1, call.configuration.hiddenSize])
    #expect(FaultSearch(sample)?.place()?.sequence == 0)
  }
}
