import ParityFixtures
import RecurrentModel
import TensorCore
import Testing

@testable import ParityJudging

/// Some sequences of a chain's batch give what they give among the others.
@Suite struct SequentialBatchTests {
  private static let chains: [SequentialCase] = FixtureSuite.locations.compactMap {
    if case .sequential(let chain) = try? LoadedCase.load($0) { chain } else { nil }
  }

  private func outputs(_ sequential: Sequential, _ input: Tensor) throws -> SequentialOutput {
    try sequential.outputs(for: input, in: .float64, .float32) { $0.oracleOutputs }
  }

  /// - Returns: how many tensors were held to each other.
  private func check(_ sequential: Sequential, _ input: Tensor, _ name: String) throws -> Int {
    guard let batch = SequentialBatch(sequential, input.shape), batch.size > 2 else { return 0 }
    let chosen = [0, batch.size - 1]
    let whole = try outputs(sequential, input)
    let part = try outputs(sequential, batch.input(input, of: chosen))
    for (alone, among) in zip(part.named, whole.named) {
      let expected = batch.output(among.name, among.tensor, of: chosen)
      #expect(alone.tensor.shape == expected.shape, "\(name): \(alone.name)")
      #expect(
        alone.tensor.elements(as: Double.self) == expected.elements(as: Double.self),
        "\(name): \(alone.name)")
    }
    return part.named.count
  }

  @Test func partsOfEveryFixtureAreTheirOwn() throws {
    var (count, timeMajor) = (0, 0)
    for chain in Self.chains {
      let own = try check(chain.sequential, chain.input, chain.location.name)
      count += own
      for module in chain.sequential.modules {
        guard case .recurrent(let configuration, _, _) = module.layer else { continue }
        if !configuration.batchFirst { timeMajor += own }
      }
    }
    #expect(count >= 50)
    #expect(timeMajor > 0)
  }

  @Test func aSoftmaxOverTheBatchMixesIt() throws {
    let chain = try #require(
      Self.chains.first { $0.location.name == "sequential-lstm-tagger" })
    let modules = Array(chain.sequential.modules.dropLast())
    let last = try #require(chain.sequential.modules.last)
    for (axis, isMixed) in [(0, true), (-3, true), (1, false), (2, false), (-1, false)] {
      let softmax = SequentialModule(
        name: last.name, layer: .softmax(isLogarithm: true, axis: axis))
      let batch = SequentialBatch(Sequential(modules + [softmax]), chain.input.shape)
      #expect((batch == nil) == isMixed)
    }
  }

  @Test func oneSequenceWithoutABatchHasNone() throws {
    let chain = try #require(
      Self.chains.first { $0.location.name == "sequential-lstm-classifier" })
    let one = Shape(Array(chain.input.shape.axes.dropFirst()))
    let upToMerge = Sequential(Array(chain.sequential.modules.prefix(3)))
    #expect(SequentialBatch(upToMerge, one) == nil)
    #expect(SequentialBatch(upToMerge, chain.input.shape) != nil)
  }

  @Test func theSequenceThatIsOffIsInTheSample() throws {
    let chain = try #require(
      Self.chains.first { $0.location.name == "sequential-lstm-tagger" })
    let exact = try outputs(chain.sequential, chain.input)
    let last = chain.input.shape.axes[0] - 1
    var elements = exact.output.elements(as: Double.self)
    for offset in elements.count * last / (last + 1)..<elements.count { elements[offset] += 1 }
    let wrong = Tensor(elements, shape: exact.output.shape)
    let failure = SequentialFailure(
      chain, side: .outputs, outputs: ["output": wrong], oracle: exact, noise: nil, in: nil)
    let sample = failure.sample(work: 1)
    #expect(sample.chain.input.shape.axes[0] == 1)
    #expect(
      sample.chain.input.elements(as: Double.self)
        == chain.input.elements(as: Double.self).suffix(sample.chain.input.count))
    let given = try #require(sample.outputs["output"]).elements(as: Double.self)
    #expect(given.elementsEqual(sample.oracle.output.elements(as: Double.self)) { $0 == $1 + 1 })
    #expect(sample.limits("output") != nil)
  }
}
