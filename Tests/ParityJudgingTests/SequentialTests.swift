import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityJudging

/// Chains of modules: what passes, what fails, and where it is said to start.
@Suite struct SequentialTests {
  private func result(
    _ chain: SequentialCase, reference: [(name: String, tensor: Tensor)]? = nil,
    _ supplied: [String: Tensor]? = nil
  ) -> CaseResult {
    let changed = SequentialCase(
      location: chain.location, manifest: chain.manifest, sequential: chain.sequential,
      input: chain.input, arithmetic: chain.arithmetic, reference: reference ?? chain.reference)
    return Judge().judge(
      changed, supplied.map { SuppliedOutputs($0, for: changed.outputsRequest) })
  }

  private func changing(
    _ chain: SequentialCase, _ name: String, _ change: (inout [Double]) -> Void
  ) -> [(name: String, tensor: Tensor)] {
    chain.reference.map { ($0, $0 == name ? $1.changing(change) : $1) }
  }

  private func supplied(_ chain: SequentialCase) -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: chain.reference.map { ($0.name, $0.tensor) })
  }

  /// Every tensor of the reference is compared, and two more pairs of sides.
  @Test(arguments: FixtureSuite.chains.map(\.location.name))
  func passUnderTheNoiseRule(name: String) throws {
    let chain = try FixtureSuite.chain(name)
    let result = result(chain)
    #expect(result.status == .passed, "\(result.remarks)")
    #expect(result.comparisons.count == 3 * chain.reference.count)
    #expect(result.comparisons.allSatisfy { $0.difference.noise != nil })
    #expect(result.comparedElements > 0)
  }

  @Test(arguments: [
    ("word_embeddings.output", "word_embeddings, Embedding"), ("bilstm.h_n", "bilstm, LSTM"),
    ("bilstm.c_n", "bilstm, LSTM"), ("merge.output", "merge, DirectionMerge"),
    ("hidden2tag.output", "hidden2tag, Linear"),
  ])
  func theFirstModuleThatDiffersIsNamed(tensor: String, module: String) throws {
    let chain = try FixtureSuite.chain("sequential-lstm-classifier")
    // Where the reference breaks its own layout it is invalid, whoever is judged.
    var outputs = supplied(chain)
    outputs[tensor] = outputs[tensor]?.changing { $0[0] += 1e-3 }
    let result = result(chain, outputs)
    #expect(result.status == .failed)
    #expect(result.remarks.last == "it starts in \(module)", "\(result.remarks)")
  }

  @Test func theResultAloneNamesNoModule() throws {
    let chain = try FixtureSuite.chain("sequential-lstm-classifier")
    let result = result(chain, reference: changing(chain, "output") { $0[1] += 1e-3 })
    #expect(result.status == .failed)
    #expect(!result.remarks.contains { $0.hasPrefix("it starts in") })
    #expect(result.isReferenceAtFault)
  }

  @Test func aReferenceThatBreaksTheLayoutContractIsInvalid() throws {
    let chain = try FixtureSuite.chain("sequential-lstm-classifier")
    let result = result(chain, reference: changing(chain, "bilstm.h_n") { $0[0] += 1e-7 })
    #expect(result.status == .invalid)
    #expect(result.remarks == ["the reference breaks the layout contract"])
  }

  @Test func notANumberNeverPasses() throws {
    for chain in FixtureSuite.chains {
      let result = result(chain, reference: changing(chain, "output") { $0[0] = .nan })
      #expect(result.status == .failed, "\(chain.location.name)")
    }
  }

  @Test func suppliedOutputsAreHeldToTheReference() throws {
    let chain = try FixtureSuite.chain("sequential-lstm-classifier")
    let whole = supplied(chain)
    #expect(result(chain, whole).status == .passed)
    let output = try #require(whole["output"])
    #expect(result(chain, ["output": output]).status == .passed)

    let none = result(chain, whole.filter { $0.key != "output" })
    #expect(none.status == .failed)
    #expect(none.remarks.first?.contains("output: expected a tensor of floats") == true)
    let stranger = result(chain, whole.merging(["x.output": output]) { $1 })
    #expect(stranger.remarks.first?.contains("x.output: expected none but") == true)
    let turned = Tensor(
      output.shape.lines(along: 0).flatMap { $0.map(output.double(at:)) }, shape: [3, 4]
    ).rounded(to: .float32)
    let exchanged = result(chain, ["output": turned])
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
    let chain = try FixtureSuite.chain(name)
    for (index, module) in chain.sequential.modules.enumerated() {
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
        var modules = chain.sequential.modules
        modules[index] = SequentialModule(
          name: module.name,
          layer: .recurrent(
            configuration, try StateDict(tensors, checkedAgainst: configuration), select: select))
        let outputs = try Sequential(modules).outputs(for: chain.input, in: .float64, .float32) {
          $0.oracleOutputs
        }
        let given = try #require(outputs["output"]).rounded(to: .float32)
        #expect(result(chain, ["output": given]).status == .failed, "\(parameter)")
      }
    }
  }

  /// Intermediate σ are what the replicas of a whole chain say: they grow from module to
  /// module, and an embedding is exact.
  @Test func theNoiseGoesThroughTheChain() throws {
    let chain = try FixtureSuite.chain("sequential-lstm-classifier")
    let noise = try NoiseEstimate(
      chain.sequential, chain.input, RoundingModel(.float32), replicas: 16)
    func rms(_ name: String) throws -> Double {
      let sigma = try #require(noise.tensors[name]).sigma
      return (sigma.reduce(0) { $0 + $1 * $1 } / Double(sigma.count)).squareRoot()
    }
    #expect(try rms("word_embeddings.output") == 0)
    #expect(try rms("bilstm.h_n") > 1e-9)
    #expect(try rms("merge.output") == rms("bilstm.h_n"))
    #expect(try rms("hidden2tag.output") > 1e-8)
    #expect(try rms("output") > 1e-8 && rms("output") < 1e-6)
  }
}
