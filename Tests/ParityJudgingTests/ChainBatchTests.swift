import FixtureSupport
import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore
import Testing

/// Some sequences of a chain's batch give what they give among the others.
@Suite struct ChainBatchTests {
  /// - Returns: how many tensors were held to each other.
  private func check(_ chain: Chain, _ name: String) throws -> Int {
    guard let batch = chain.shapes.batch, batch.size > 2 else { return 0 }
    let chosen = [0, batch.size - 1]
    let whole = try chain.oracleResults().selecting(sequences: chosen, batch)
    let part = try #require(chain.selecting(sequences: chosen)).oracleResults()
    for (alone, among) in zip(part.named, whole.named) {
      #expect(alone.name == among.name && alone.tensor.shape == among.tensor.shape)
      let difference = TensorDifference(of: alone.tensor, from: among.tensor, within: .bits)
      #expect(difference.agrees, "\(name): \(alone.name)")
    }
    return part.named.count
  }

  @Test func partsOfEveryFixtureAreTheirOwn() throws {
    var (count, timeMajor) = (0, 0)
    for parityCase in FixtureSuite.all {
      guard let chain = parityCase.chain else { continue }
      let own = try check(chain, parityCase.location.name)
      count += own
      if !parityCase.isSingleModule, chain.modules.contains(where: \.isTimeMajor) {
        timeMajor += own
      }
    }
    #expect(count >= 200)
    #expect(timeMajor > 0)
  }

  /// Sequences are told apart by all that a module is given of them.
  @Test func equalSequencesAreTwins() throws {
    let call = try #require(FixtureSuite.named("lstm-packed").call)
    let lengths = try #require(call.input.packing?.lengths)
    #expect(Set(lengths).count > 1)
    let order = [0, 1, 0, 1, 2]
    let doubled = call.selecting(sequences: order)
    #expect(Chain(doubled).sequenceTwins == [0, 1, 0, 1, 4])
    let other = try #require(doubled.input.h0).changing {
      $0[doubled.configuration.hiddenSize * 2] += 1
    }
    let changed = try RecurrentInput(
      input: doubled.input.input, h0: other, c0: doubled.input.c0, packing: doubled.input.packing,
      for: doubled.configuration)
    #expect(Chain(doubled.with(input: changed)).sequenceTwins == [0, 1, 2, 1, 4])
  }

  @Test func aSoftmaxOverTheBatchMixesIt() throws {
    let chain = try #require(FixtureSuite.named("sequential-lstm-tagger").chain)
    let last = try #require(chain.modules.last)
    for (axis, isMixed) in [(0, true), (-3, true), (1, false), (2, false), (-1, false)] {
      let softmax = ChainModule(name: last.name, layer: .logSoftmax(axis: axis))
      let other = try chain.with(modules: chain.modules.dropLast() + [softmax])
      #expect((other.shapes.batch == nil) == isMixed)
    }
  }

  /// A module that takes the batch's axis for the steps' has mixed the sequences.
  @Test func twoModulesOfDifferentOrderMixTheBatch() throws {
    let chain = try #require(FixtureSuite.named("sequential-two-modules").chain)
    #expect(chain.shapes.batch != nil)
    let index = try #require(chain.modules.lastIndex { $0.configuration != nil })
    guard case .recurrent(let own, let stateDict, let select) = chain.modules[index].layer else {
      return
    }
    let turned = try RecurrentConfiguration(
      module: own.module, inputSize: own.inputSize, hiddenSize: own.hiddenSize,
      numLayers: own.numLayers, bias: own.bias, batchFirst: !own.batchFirst,
      bidirectional: own.bidirectional, projSize: own.projSize, nonlinearity: own.nonlinearity)
    var modules = Array(chain.modules.prefix(index + 1))
    modules[index] = ChainModule(
      name: "turned", layer: .recurrent(turned, stateDict, select: select))
    #expect(try chain.with(modules: modules).shapes.batch == nil)
  }

  @Test func oneSequenceWithoutABatchHasNone() throws {
    let chain = try #require(FixtureSuite.named("sequential-lstm-classifier").chain)
    let one = chain.input.tensor.selecting([0], along: 0)
      .reshaped(Shape(Array(chain.input.tensor.shape.axes.dropFirst())))
    let upToMerge = Array(chain.modules.prefix(3))
    let unbatched = try Chain(upToMerge, input: ChainInput(one), in: chain.arithmetic)
    #expect(unbatched.shapes.batch == nil)
    #expect(try chain.with(modules: upToMerge).shapes.batch != nil)
  }

  /// What one tensor tells of the sequences is told of all.
  @Test func theSequenceThatIsOffIsToldFromTheOthers() throws {
    let chain = try #require(FixtureSuite.named("sequential-lstm-tagger").chain)
    let batch = try #require(chain.shapes.batch)
    let exact = try chain.oracleResults()
    let last = batch.size - 1
    var wrong = exact
    wrong["output"] = exact["output"]?.changing { elements in
      for offset in elements.count * last / batch.size..<elements.count { elements[offset] += 1 }
    }
    let off = wrong.differences(from: exact, batch)
    #expect(off[last] > 1 && off.dropLast().allSatisfy { $0 == 0 })
  }
}

extension ChainModule {
  fileprivate var isTimeMajor: Bool { configuration?.batchFirst == false }
}
