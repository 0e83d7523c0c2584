import TensorCore
import TestSupport
import Testing

@testable import RecurrentModel

@Suite struct LayoutContractTests {
  private func contract(
    _ shape: Shape, batchFirst: Bool = true, lengths: [Int]? = nil, directions: Int = 2,
    layers: Int = 1
  ) throws -> LayoutContract {
    let layout = try #require(SequenceLayout(ofSequences: shape, batchFirst: batchFirst))
    return LayoutContract(
      layout: layout, lengths: lengths, directions: directions, layers: layers, outputSize: 6)
  }

  @Test func statesTheIdentitiesAsAUserTypesThem() throws {
    func statements(_ contract: LayoutContract) -> [String] {
      contract.identities.map(\.statement)
    }
    #expect(
      try statements(contract([2, 4, 12])) == [
        "output[:, -1, :6] == h_n[0]", "output[:, 0, 6:] == h_n[1]",
      ])
    #expect(
      try statements(contract([4, 2, 12], batchFirst: false, layers: 2)) == [
        "output[-1, :, :6] == h_n[2]", "output[0, :, 6:] == h_n[3]",
      ])
    #expect(try statements(contract([4, 6], directions: 1)) == ["output[-1, :] == h_n[0]"])
    #expect(
      try statements(contract([2, 4, 12], lengths: [4, 2])) == [
        "output[b, lengths[b]-1, :6] == h_n[0, b]", "output[:, 0, 6:] == h_n[1]",
        "output[b, lengths[b]:] == 0",
      ])
  }

  /// The oracle's outputs hold the contract, as PyTorch's do, for every random
  /// module; the offsets are the contract's own.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func holdsForTheOracle(seed: UInt64) throws {
    let random = try RandomModule(seed: seed)
    let outputs = random.call.oracleOutputs
    let contract = LayoutContract(
      random.configuration, layout: random.input.outputLayout, packing: random.input.packing)
    guard let output = outputs.output else {
      #expect(random.configuration.module.isCell && contract.identities.isEmpty)
      return
    }
    for identity in contract.identities {
      let sides = identity.sides(output: output, hN: outputs.hN)
      #expect(
        sides.output.elements(as: Double.self) == sides.state.elements(as: Double.self),
        "\(random) \(identity.statement)")
    }
  }

  @Test func paddingCoversExactlyTheStepsAfterEachSequence() throws {
    let contract = try contract([3, 4, 12], lengths: [4, 2, 3])
    let padding = try #require(contract.identities.last)
    #expect(padding.stateOffsets == nil)
    #expect(padding.outputOffsets.count == (0 + 2 + 1) * 12)
    #expect(padding.outputOffsets.first == (1 * 4 + 2) * 12)
  }

  @Test func everyMistakenReadingDiffersFromPyTorchs() throws {
    let contract = try contract([3, 4, 12], lengths: [4, 2, 3], layers: 2)
    let mistaken = LayoutReading.mistaken(contract)
    #expect(mistaken.count == 6)
    for (mistake, identities) in mistaken {
      #expect(identities != Array(contract.identities.prefix(2)), "\(mistake)")
    }
    #expect(Set(mistaken.map(\.mistake)).count == mistaken.count)
  }

  @Test func readingsThatCannotDifferAreNotTried() throws {
    #expect(try LayoutReading.mistaken(contract([3, 4, 6], directions: 1)).isEmpty)
    #expect(try LayoutReading.mistaken(contract([3, 1, 12])).count == 2)
  }
}

@Suite struct LayoutInferenceTests {
  private func inferred(
    _ output: Shape, _ hN: Shape, lengths: [Int]? = nil, batchFirst: Bool? = nil,
    hiddenSize: Int? = nil
  ) throws -> LayoutContract {
    try .inferred(
      output: output, hN: hN, lengths: lengths, batchFirst: batchFirst, hiddenSize: hiddenSize)
  }

  @Test func tellsTheModuleByTheShapes() throws {
    let article = try inferred([1, 4, 12], [2, 1, 6])
    #expect(article.directions == 2 && article.layers == 1 && article.outputSize == 6)
    #expect(article.layout.batchFirst && article.layout.steps == 4)
    let timeFirst = try inferred([4, 3, 6], [2, 3, 6])
    #expect(timeFirst.directions == 1 && timeFirst.layers == 2)
    #expect(!timeFirst.layout.batchFirst)
    #expect(try inferred([4, 12], [4, 6]).layers == 2)
  }

  @Test func readsAnAmbiguousBatchAsPyTorchsDefault() throws {
    #expect(try !inferred([3, 3, 6], [1, 3, 6]).layout.batchFirst)
    #expect(try inferred([3, 3, 6], [1, 3, 6], batchFirst: true).layout.batchFirst)
  }

  @Test(
    arguments: [
      ([4], [2, 6]), ([1, 4, 12], [2, 6]), ([1, 4, 13], [2, 1, 6]), ([1, 4, 12], [3, 1, 6]),
      ([5, 4, 12], [2, 1, 6]), ([1, 4, 12], [0, 1, 6]), ([1, 4, 0], [1, 1, 0]),
      ([1, 0, 12], [2, 1, 6]),
    ] as [([Int], [Int])])
  func refusesShapesThatNoModuleGives(output: [Int], hN: [Int]) {
    #expect(throws: InvalidValue.self) { try inferred(Shape(output), Shape(hN)) }
  }

  @Test func holdsWhatTheUserStatesAgainstTheShapes() {
    #expect(throws: InvalidValue.self) { try inferred([1, 4, 12], [2, 1, 6], hiddenSize: 12) }
    #expect(throws: InvalidValue.self) { try inferred([4, 3, 6], [2, 3, 6], batchFirst: true) }
    #expect(throws: InvalidValue.self) { try inferred([1, 4, 12], [2, 1, 6], lengths: [5]) }
    #expect(throws: InvalidValue.self) { try inferred([1, 4, 12], [2, 1, 6], lengths: [4, 4]) }
  }
}
