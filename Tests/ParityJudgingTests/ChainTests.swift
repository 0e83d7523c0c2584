import FixtureSupport
import ParityFixtures
import RecurrentEngine
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityJudging

/// Chains of modules: what passes, what fails, and where it is said to start.
@Suite struct ChainTests {
  private func result(
    _ parityCase: ParityCase, reference: Results? = nil, _ supplied: [String: Tensor]? = nil
  ) -> CaseResult {
    let changed = parityCase.with(reference: reference ?? parityCase.reference)
    guard let supplied else { return Judge().judge(changed) }
    return Judge().judge(changed, SuppliedOutputs(supplied, for: changed.outputsRequest))
  }

  private func changing(
    _ parityCase: ParityCase, _ name: String, _ change: (inout [Double]) -> Void
  ) -> Results {
    parityCase.reference.mapping { $0 == name ? $1.changing(change) : $1 }
  }

  private func supplied(_ parityCase: ParityCase) -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: parityCase.reference.named.map { ($0.name, $0.tensor) })
  }

  /// Every tensor of the reference is compared, and two more pairs of sides.
  @Test(arguments: FixtureSuite.chains.map(\.location.name))
  func passUnderTheNoiseRule(name: String) throws {
    let parityCase = try FixtureSuite.named(name)
    let findings = result(parityCase).findings
    #expect(result(parityCase).status == .passed)
    #expect(findings.comparisons.count == 3 * parityCase.reference.named.count)
    #expect(findings.comparisons.allSatisfy { $0.difference.noise != nil })
    #expect(findings.comparableElements > 0)
  }

  @Test(arguments: [
    ("word_embeddings.output", "word_embeddings, Embedding"), ("bilstm.h_n", "bilstm, LSTM"),
    ("bilstm.c_n", "bilstm, LSTM"), ("merge.output", "merge, DirectionMerge"),
    ("hidden2tag.output", "hidden2tag, Linear"),
  ])
  func theFirstModuleThatDiffersIsNamed(tensor: String, module: String) throws {
    let parityCase = try FixtureSuite.named("sequential-lstm-classifier")
    // Where the reference breaks its own layout it is invalid, whoever is judged.
    var outputs = supplied(parityCase)
    outputs[tensor] = outputs[tensor]?.changing { $0[0] += 1e-3 }
    let result = result(parityCase, outputs)
    #expect(result.status == .failed)
    #expect(result.remarks.last == "it starts in \(module)", "\(result.remarks)")
  }

  @Test func theResultAloneNamesNoModule() throws {
    let parityCase = try FixtureSuite.named("sequential-lstm-classifier")
    let result = result(
      parityCase, reference: changing(parityCase, "output") { $0[1] += 1e-3 })
    #expect(result.status == .failed)
    #expect(!result.remarks.contains { $0.hasPrefix("it starts in") })
    #expect(result.findings.isReferenceAtFault)
  }

  @Test func aReferenceThatBreaksTheLayoutContractIsInvalid() throws {
    let parityCase = try FixtureSuite.named("sequential-lstm-classifier")
    let result = result(
      parityCase, reference: changing(parityCase, "bilstm.h_n") { $0[0] += 1e-3 })
    #expect(result.status == .invalid)
    #expect(result.remarks == ["the reference breaks the layout contract"])
  }

  @Test func notANumberNeverPasses() throws {
    for parityCase in FixtureSuite.chains {
      let result = result(
        parityCase, reference: changing(parityCase, "output") { $0[0] = .nan })
      #expect(result.status == .failed, "\(parityCase.location.name)")
    }
  }

  @Test func suppliedOutputsAreHeldToTheReference() throws {
    let parityCase = try FixtureSuite.named("sequential-lstm-classifier")
    let whole = supplied(parityCase)
    #expect(result(parityCase, whole).status == .passed)
    let output = try #require(whole["output"])
    #expect(result(parityCase, ["output": output]).status == .passed)

    let none = result(parityCase, whole.filter { $0.key != "output" })
    #expect(none.status == .failed)
    #expect(none.remarks.first?.contains("output: expected a tensor of floats") == true)
    let other = result(parityCase, whole.merging(["x.output": output]) { $1 })
    #expect(other.remarks.first?.contains("x.output: expected none but") == true)
    let turned = Tensor(
      output.shape.lines(along: 0).flatMap { $0.map(output.double(at:)) }, shape: [3, 4]
    ).rounded(to: .float32)
    let exchanged = result(parityCase, ["output": turned])
    #expect(exchanged.status == .failed)
    #expect(
      exchanged.remarks == [
        "output: expected the shape (4, 3), found (3, 4) from the outputs, which agrees with axes "
          + "0 and 1 exchanged"
      ])
  }

  /// ±10% in the largest element of each parameter that the result depends on.
  @Test(arguments: ["sequential-gru-classifier", "sequential-projection", "keras-lstm-sum"])
  func aParameterThatIsOffFails(name: String) throws {
    let parityCase = try FixtureSuite.named(name)
    let chain = try #require(parityCase.chain)
    for (index, module) in chain.modules.enumerated() {
      guard case .recurrent(let configuration, let stateDict, let select) = module.layer else {
        continue
      }
      for (parameter, tensor) in stateDict.tensors where tensor.elementType == .float32 {
        let numbers: [Double] = tensor.elements()
        guard let largest = numbers.indices.max(by: { abs(numbers[$0]) < abs(numbers[$1]) }),
          numbers[largest] != 0
        else { continue }
        var tensors = stateDict.tensors
        tensors[parameter] = tensor.changing { $0[largest] *= 1.1 }
        var modules = chain.modules
        modules[index] = ChainModule(
          name: module.name,
          layer: .recurrent(
            configuration, try StateDict(tensors, checkedAgainst: configuration), select: select))
        let outputs = try chain.with(modules: modules).oracleResults()
        let given = try #require(outputs["output"]).rounded(to: .float32)
        #expect(result(parityCase, ["output": given]).status == .failed, "\(parameter)")
      }
    }
  }

  /// Intermediate σ are what the replicas of a whole chain say: they grow from module to
  /// module, and an embedding is exact.
  @Test func theNoiseGoesThroughTheChain() throws {
    let chain = try #require(FixtureSuite.named("sequential-lstm-classifier").chain)
    let noise = try NoiseEstimate.measure(ChainVariant(chain), RoundingModel(.float32))
    func rms(_ name: String) throws -> Double {
      let sigma = try #require(noise[name]).limits.sigma
      return (sigma.reduce(0) { $0 + $1 * $1 } / Double(sigma.count)).squareRoot()
    }
    #expect(try rms("word_embeddings.output") == 0)
    #expect(try rms("bilstm.h_n") > 1e-9)
    // The same numbers, added up in another order.
    #expect(try abs(rms("merge.output") / rms("bilstm.h_n") - 1) < 1e-12)
    #expect(try rms("hidden2tag.output") > 1e-8)
    #expect(try rms("output") > 1e-8 && rms("output") < 1e-6)
  }
}

/// What holds of a recurrent module by itself holds of one in a chain.
@Suite struct ModuleInChainTests {
  private let classifier = "sequential-lstm-classifier"

  private func judge(
    _ name: String, noiseWork: Double = Judge.standardNoiseWork,
    _ change: @escaping @Sendable (RecurrentInput, RecurrentOutput) -> RecurrentOutput
  ) throws -> CaseResult {
    let judge = Judge(
      noiseWork: noiseWork,
      subject: .pass { call in
        MistakenPass(honest: Engine.forwardPass(call), mistake: change)
      })
    return judge.judge(try FixtureSuite.named(name))
  }

  /// Far below any tolerance, in the last step of the forward direction.
  @Test func theEnginesLayoutIsHeldBitForBit() throws {
    let result = try judge("sequential-lstm-tagger") { _, outputs in
      outputs.with(output: outputs.output?.changing { $0[$0.count - 12] += 1e-7 })
    }
    #expect(result.status == .failed)
    #expect(result.remarks.contains("the engine's output breaks the layout contract"))
    #expect(result.findings.layout.contains { $0.statement.hasPrefix("bilstm.output[") })
  }

  @Test func suppliedOutputsAreHeldToTheLayout() throws {
    let parityCase = try FixtureSuite.named(classifier)
    // The directions of h_n exchanged, and the result right all the same.
    var outputs = Dictionary(
      uniqueKeysWithValues: parityCase.reference.named.map { ($0.name, $0.tensor) })
    outputs["bilstm.h_n"] = outputs["bilstm.h_n"]?.takingBlocks([1, 0])
    let result = Judge().judge(
      parityCase, SuppliedOutputs(outputs, for: parityCase.outputsRequest))
    #expect(result.status == .failed)
    #expect(result.remarks.contains("the outputs break the layout contract"))
    #expect(
      result.findings.layout.contains {
        $0.side == .outputs && $0.mistake?.hasPrefix("the directions of h_n are swapped") == true
      })
  }

  @Test func propertiesAreChecked() throws {
    let result = try judge("sequential-lstm-tagger") { input, outputs in
      guard input.layout.batch == 1 else { return outputs }
      return RecurrentOutput(
        output: outputs.output, hN: outputs.hN.changing { $0[0] = $0[0].nextUp + 1e-7 },
        cN: outputs.cN)
    }
    #expect(
      result.remarks == [
        "the engine breaks a property: bilstm: each sequence gives the same bits alone as in the "
          + "batch"
      ])
    #expect(result.diagnosis == nil)
  }

  /// Of a module behind another one the noise is not what two runs of it differ by.
  @Test func aMirrorNeedsAnExactInput() throws {
    let findings = Judge().judge(try FixtureSuite.named("sequential-two-modules")).findings
    let mirrors = findings.properties.filter { $0.property == .directionsMirror }
    #expect(mirrors.count == 2)
    #expect(mirrors[0].applies && !mirrors[1].applies)
    #expect(mirrors[0].holds)
  }

  @Test func aLargeBatchIsMeasuredOnASample() throws {
    let parityCase = try FixtureSuite.named(classifier).repeated(20)
    let sampled = Judge(noiseWork: 1).judge(parityCase)
    #expect(sampled.status == .passed)
    #expect(sampled.findings.measuredSequences == 4)
    #expect(Judge(noiseWork: .infinity).judge(parityCase).findings.measuredSequences == nil)
    // What the sample fails is measured whole.
    let wrong = parityCase.with(
      reference: parityCase.reference.mapping { name, tensor in
        name == "output" ? tensor.changing { $0[tensor.count - 1] += 1e-3 } : tensor
      })
    let failed = Judge(noiseWork: 1).judge(wrong)
    #expect(failed.status == .failed && failed.findings.measuredSequences == nil)
  }

  /// A sequence's σ is its own, whatever stands beside it, and in a chain that mixes the
  /// sequences too.
  @Test func theNoiseIsMeasuredSequenceBySequence() throws {
    let chain = try #require(FixtureSuite.named("sequential-lstm-tagger").chain)
    let batch = try #require(chain.shapes.batch)
    let whole = try NoiseEstimate.measure(ChainVariant(chain), RoundingModel(.float32))
    let some = try NoiseEstimate.measure(
      ChainVariant(chain), RoundingModel(.float32),
      sample: .init([1], others: .borrowing(oracle: try chain.oracleResults())))
    for (name, axis) in batch.axes {
      let (all, one) = (try #require(whole[name]), try #require(some[name]))
      #expect(all.shape == one.shape)
      let inner = all.shape.axes[(axis + 1)...].reduce(1, *)
      for offset in all.limits.sigma.indices {
        guard offset / inner % batch.size == 1 else { continue }
        #expect(one.limits.sigma[offset] == all.limits.sigma[offset], "\(name) \(offset)")
      }
    }
    let last = try #require(chain.modules.last)
    let mixing = try chain.with(
      modules: chain.modules.dropLast() + [
        ChainModule(name: last.name, layer: .logSoftmax(axis: 0))
      ])
    #expect(mixing.shapes.batch == nil)
    let mixed = try NoiseEstimate.measure(ChainVariant(mixing), RoundingModel(.float32))
    for name in ["word_embeddings.output", "bilstm.output", "bilstm.h_n", "hidden2tag.output"] {
      let (together, apart) = (try #require(mixed[name]).limits, try #require(whole[name]).limits)
      #expect(together.sigma == apart.sigma && together.isJudged == apart.isJudged, "\(name)")
    }
  }

  @Test func aNaNInAParameterIsNamed() throws {
    let parityCase = try FixtureSuite.named(classifier)
    let chain = try #require(parityCase.chain)
    var modules = chain.modules
    guard case .linear(let weight, let bias) = modules[3].layer else { return }
    modules[3] = ChainModule(
      name: modules[3].name, layer: .linear(weight: weight.changing { $0[0] = .nan }, bias: bias))
    let result = Judge().judge(parityCase.with(chain: try chain.with(modules: modules)))
    #expect(result.status == .failed)
    #expect(
      result.remarks.contains("state_dict/hidden2tag.weight holds a number that is not finite"))
  }
}

extension ParityCase {
  /// With every sequence of the batch so many times.
  fileprivate func repeated(_ count: Int) throws -> ParityCase {
    guard let chain, let batch = chain.shapes.batch else { return self }
    let sequences = (0..<count).flatMap { _ in Array(0..<batch.size) }
    guard let larger = chain.selecting(sequences: sequences) else { return self }
    return ParityCase(
      location: location, manifest: manifest,
      reference: reference.selecting(sequences: sequences, batch), layouts: larger.layouts,
      chain: larger)
  }
}
