import FixtureSupport
import ParityFixtures
import RecurrentModel
import TensorCore
import Testing

@testable import ParityJudging

/// Bare tensors: PyTorch's own hold, and each mistake that users make is named.
@Suite struct LayoutQuestionTests {
  private func question(
    _ name: String, lengths: [Int]? = nil, batchFirst: Bool? = nil,
    output changeOutput: (Tensor, LayoutContract) -> Tensor = { tensor, _ in tensor },
    hN changeHN: (Tensor, LayoutContract) throws -> Tensor = { tensor, _ in tensor }
  ) throws -> LayoutQuestion {
    let parityCase = try FixtureSuite.named(name)
    let (reference, contract) = (parityCase.outputs, parityCase.contract)
    return try LayoutQuestion(
      output: changeOutput(try #require(reference.output), contract),
      hN: try changeHN(reference.hN, contract),
      lengths: lengths, batchFirst: batchFirst, hiddenSize: nil)
  }

  @Test func pytorchsOwnTensorsHold() throws {
    for name in ["lstm-bidirectional-batch-first", "gru-stacked-bidirectional-batch-first", "lstm"]
    {
      let question = try question(name)
      #expect(question.holds && !question.isVacuous && question.hint == nil, "\(name)")
    }
    #expect(try question("lstm-packed", lengths: [4, 7, 2]).holds)
  }

  /// Rows of `h_n` in another order.
  private func rows(_ order: [Int]) -> (Tensor, LayoutContract) -> Tensor {
    { hN, _ in
      let size = hN.count / order.count
      return hN.gathering(order.flatMap { $0 * size..<($0 + 1) * size }, shape: hN.shape)
    }
  }

  private func halvesSwapped(_ output: Tensor, _ contract: LayoutContract) -> Tensor {
    let size = contract.outputSize
    return output.gathering(
      (0..<output.count).map { $0 % (2 * size) < size ? $0 + size : $0 - size },
      shape: output.shape)
  }

  /// The reverse half left in the order in which the reverse direction reads.
  private func notFlippedBack(_ output: Tensor, _ contract: LayoutContract) -> Tensor {
    let (layout, size) = (contract.layout, contract.outputSize)
    var offsets = Array(0..<output.count)
    for sequence in 0..<layout.batch {
      for step in 0..<layout.steps {
        let target = layout.row(sequence: sequence, step: step) * 2 * size + size
        let source =
          layout.row(sequence: sequence, step: layout.steps - 1 - step) * 2 * size + size
        for unit in 0..<size { offsets[target + unit] = source + unit }
      }
    }
    return output.gathering(offsets, shape: output.shape)
  }

  @Test func theMistakeIsNamed() throws {
    let stacked = "gru-stacked-bidirectional-batch-first"
    func hint(_ question: LayoutQuestion) -> String {
      #expect(!question.holds)
      guard case .mistake(let sentence)? = question.hint else { return "none" }
      return sentence
    }
    #expect(
      try hint(question(stacked, output: halvesSwapped))
        .hasPrefix("the directions of output are swapped"))
    #expect(
      try hint(question(stacked, hN: rows([1, 0, 3, 2])))
        .hasPrefix("the directions of h_n are swapped"))
    #expect(
      try hint(question(stacked, hN: rows([2, 3, 0, 1])))
        .hasPrefix("the layers of h_n stand in another order"))
    #expect(
      try hint(question(stacked, hN: rows([0, 2, 1, 3])))
        .hasPrefix("h_n is ordered by direction, then layer"))
    #expect(
      try hint(question(stacked, output: notFlippedBack))
        .hasPrefix("the reverse half of output is not flipped back"))
  }

  @Test func aRaggedBatchWithoutItsLengthsIsNoticed() throws {
    let question = try question("lstm-packed")
    #expect(!question.holds)
    #expect(question.hint == .lengths([4, 7, 2]))
  }

  @Test func theStateOfTheLastPaddedStepIsNoticed() throws {
    // h_n[0] made from output[:, -1, :P], as users do; h_n[1] is PyTorch's.
    let parityCase = try FixtureSuite.named("lstm-packed")
    let (output, contract) = (try #require(parityCase.outputs.output), parityCase.contract)
    let question = try question(
      "lstm-packed", lengths: [4, 7, 2],
      hN: { hN, _ in
        hN.changing { elements in
          for sequence in 0..<contract.layout.batch {
            let row = contract.layout.row(sequence: sequence, step: contract.layout.steps - 1)
            for unit in 0..<contract.outputSize {
              elements[sequence * contract.outputSize + unit] =
                output.double(at: row * 2 * contract.outputSize + unit)
            }
          }
        }
      })
    #expect(!question.holds)
    guard case .mistake(let sentence)? = question.hint else {
      Issue.record("\(String(describing: question.hint))")
      return
    }
    #expect(sentence.hasPrefix("h_n holds the output at step T-1"))
  }

  @Test func anAmbiguousBatchAxisIsNoticed() throws {
    let parityCase = try FixtureSuite.named("gru-batch-first")
    // Three sequences of which only three steps are kept: T = B.
    let layout = parityCase.contract.layout
    let features = parityCase.contract.outputSize
    let offsets = (0..<layout.batch).flatMap { sequence in
      let start = layout.row(sequence: sequence, step: layout.steps - 3) * features
      return start..<start + 3 * features
    }
    let output = try #require(parityCase.outputs.output).gathering(
      offsets, shape: [3, 3, features])
    func question(batchFirst: Bool?) throws -> LayoutQuestion {
      try LayoutQuestion(
        output: output, hN: parityCase.outputs.hN, lengths: nil, batchFirst: batchFirst,
        hiddenSize: nil)
    }
    #expect(try question(batchFirst: nil).hint == .batchFirst(true))
    #expect(try question(batchFirst: true).holds)
  }

  @Test func onlyNaNIsNothingToCompare() throws {
    func nan(_ tensor: Tensor, _: LayoutContract) -> Tensor {
      tensor.changing { $0 = $0.map { _ in .nan } }
    }
    #expect(try question("lstm", output: nan, hN: nan).isVacuous)
  }

  @Test func integersAreRefused() {
    let integers = Tensor([1, 2] as [Int64], shape: [1, 2])
    #expect(throws: InvalidValue.self) {
      try LayoutQuestion(
        output: integers, hN: integers, lengths: nil, batchFirst: nil, hiddenSize: nil)
    }
  }
}
