import TensorCore
import TestSupport
import Testing

@testable import RecurrentModel

@Suite struct RecurrentInputTests {
  /// As PyTorch says: "Cannot pack empty tensors."
  @Test func aZeroBatchCannotBePacked() throws {
    let configuration = try RecurrentConfiguration(module: .gru, inputSize: 2, hiddenSize: 3)
    let empty = Tensor([] as [Float], shape: [4, 0, 2])
    #expect(throws: Never.self) { try RecurrentInput(input: empty, for: configuration) }
    let error = #expect(throws: InvalidValue.self) {
      try RecurrentInput(input: empty, packing: Packing(lengths: []), for: configuration)
    }
    #expect(error?.name == "packed")
  }

  private let configuration: RecurrentConfiguration

  init() throws {
    configuration = try RecurrentConfiguration(
      module: .lstm, inputSize: 5, hiddenSize: 3, batchFirst: true)
  }

  private func zeros(_ axes: Int...) -> Tensor {
    let shape = Shape(axes)
    return Tensor([Float](repeating: 0, count: shape.elementCount), shape: shape)
  }

  private func subject(
    input: Tensor? = nil, h0: Tensor? = nil, c0: Tensor? = nil, packing: Packing? = nil
  ) -> String? {
    do {
      _ = try RecurrentInput(
        input: input ?? zeros(2, 4, 5), h0: h0, c0: c0, packing: packing, for: configuration)
      return nil
    } catch {
      return error.name
    }
  }

  @Test func acceptsWhatPyTorchAccepts() {
    #expect(subject() == nil)
    #expect(subject(input: zeros(4, 5)) == nil)
    #expect(subject(h0: zeros(1, 2, 3), c0: zeros(1, 2, 3)) == nil)
    #expect(subject(input: zeros(4, 5), h0: zeros(1, 3), c0: zeros(1, 3)) == nil)
    #expect(subject(packing: Packing(lengths: [2, 4])) == nil)
    #expect(subject(packing: Packing(lengths: [4, 2], enforceSorted: true)) == nil)
  }

  @Test func refusesWrongInputs() {
    #expect(subject(input: zeros(2, 4, 6)) == "inputs/input")
    #expect(subject(input: zeros(5)) == "inputs/input")
    #expect(subject(input: zeros(2, 0, 5)) == "inputs/input")
    #expect(subject(input: zeros(1, 2, 4, 5)) == "inputs/input")
  }

  @Test func refusesWrongStates() {
    // The batch never comes first in a state.
    #expect(subject(h0: zeros(2, 1, 3), c0: zeros(2, 1, 3)) == "inputs/h_0")
    #expect(subject(h0: zeros(1, 2, 3), c0: zeros(1, 3)) == "inputs/c_0")
    #expect(subject(h0: zeros(1, 2, 3)) == "inputs/c_0")
    #expect(subject(c0: zeros(1, 2, 3)) == "inputs/h_0")
    let double = zeros(1, 2, 3).rounded(to: .float64)
    #expect(subject(h0: double, c0: double) == "inputs/h_0")
  }

  @Test func refusesWrongLengths() {
    #expect(subject(packing: Packing(lengths: [4])) == "inputs/lengths")
    #expect(subject(packing: Packing(lengths: [4, 5])) == "inputs/lengths")
    #expect(subject(packing: Packing(lengths: [4, 0])) == "inputs/lengths")
    #expect(subject(packing: Packing(lengths: [2, 4], enforceSorted: true)) == "inputs/lengths")
    #expect(subject(packing: Packing(lengths: [4, 2], totalLength: 3)) == "packed.total_length")
    #expect(
      subject(packing: Packing(lengths: [4, 2], totalLength: .max)) == "packed.total_length")
    #expect(subject(input: zeros(4, 5), packing: Packing(lengths: [4])) == "packed")
  }

  @Test func outputIsAsLongAsTheLongestSequenceUnlessStated() throws {
    func steps(_ packing: Packing?) throws -> Int {
      try RecurrentInput(input: zeros(2, 4, 5), packing: packing, for: configuration)
        .outputLayout.steps
    }
    #expect(try steps(nil) == 4)
    #expect(try steps(Packing(lengths: [1, 3])) == 3)
    #expect(try steps(Packing(lengths: [1, 3], totalLength: 7)) == 7)
  }
}

/// A sequence gives the same alone as among others, and a run can be taken apart.
@Suite struct SelectionTests {
  private func same(_ a: RecurrentOutput, _ b: RecurrentOutput) -> Bool {
    a.named.map(\.name) == b.named.map(\.name)
      && zip(a.named, b.named).allSatisfy {
        $0.tensor.shape == $1.tensor.shape
          && $0.tensor.elements(as: Double.self) == $1.tensor.elements(as: Double.self)
      }
  }

  @Test func someSequencesGiveWhatTheyGiveAmongOthers() throws {
    var several = 0
    for seed in 0..<200 as Range<UInt64> {
      let call = try RandomModule(seed: seed).call
      let whole = call.oracleOutputs
      let batch = call.input.layout.batch
      for sequences in [[0], [batch - 1], Array((0..<batch).reversed())] {
        let part = call.selecting(sequences: sequences)
        let expected = whole.selecting(sequences: sequences, call.input.outputLayout)
        #expect(same(part.oracleOutputs, expected), "\(seed) \(sequences)")
        #expect(part.input.layout.batch == sequences.count)
      }
      if batch > 1 { several += 1 }
    }
    #expect(several > 50)
  }

  @Test func aRunIsTheSumOfItsParts() throws {
    var count = 0
    for seed in 0..<200 as Range<UInt64> {
      let call = try RandomModule(seed: seed).call
      let (input, steps) = (call.input, call.input.layout.steps)
      guard input.packing == nil, !call.configuration.bidirectional, steps > 1 else { continue }
      let first = call.with(input: input.selecting(steps: 0..<1, from: nil)).oracleOutputs
      let rest = call.with(input: input.selecting(steps: 1..<steps, from: first)).oracleOutputs
      let whole = call.oracleOutputs
      #expect(same(rest.with(output: nil), whole.with(output: nil)), "\(seed)")
      let late = try #require(whole.output.map { input.layout.selecting(steps: 1..<steps, of: $0) })
      #expect(rest.output?.elements(as: Double.self) == late.elements(as: Double.self), "\(seed)")
      count += 1
    }
    #expect(count > 20)
  }

  /// The multiplications of a forward pass: what the shapes of its products say.
  @Test func workIsLinearInStepsAndSequences() throws {
    let call = try RandomModule(seed: 7).call
    let batch = call.input.layout.batch
    let each = (0..<batch).map { call.selecting(sequences: [$0]).work }
    #expect(abs(each.reduce(0, +) - call.work) < 1e-6 * call.work && call.work > 0)
  }
}
