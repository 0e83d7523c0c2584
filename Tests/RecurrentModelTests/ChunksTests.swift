import RecurrentModel
import TensorCore
import TestSupport
import Testing

@Suite struct ChunksTests {
  @Test func chunksStandOneBehindTheOther() {
    let chunks = Chunks([4, 1, 2])
    #expect(chunks.steps == [0..<4, 4..<5, 5..<7])
    #expect(chunks.sizes == [4, 1, 2] && chunks.count == 3)
    #expect([0, 3, 4, 5, 6, 7].map(chunks.index(ofStep:)) == [0, 0, 1, 2, 2, nil])
    #expect(chunks.name(1) == "chunk 2 of 3")
  }

  /// Joining undoes what selecting does, wherever the steps stand.
  @Test(arguments: [
    (Shape([3, 7, 2]), true), (Shape([7, 3, 2]), false), (Shape([7, 2]), false),
    (Shape([7, 2]), true), (Shape([0, 7, 2]), true),
  ])
  func partsMakeTheWhole(shape: Shape, batchFirst: Bool) throws {
    let whole = Tensor((0..<shape.elementCount).map(Float.init), shape: shape)
    let layout = try #require(SequenceLayout(ofSequences: shape, batchFirst: batchFirst))
    for chunks in [Chunks([7]), Chunks([4, 1, 2]), Chunks([1, 1, 1, 1, 1, 1, 1])] {
      let parts = chunks.steps.map { layout.selecting(steps: $0, of: whole) }
      let joined = try #require(layout.joining(steps: parts))
      #expect(joined.shape == shape)
      #expect(joined.elements(as: Float.self) == whole.elements(as: Float.self))
    }
  }

  /// A module of one direction gives the same, however its steps are cut.
  @Test(arguments: 0..<60 as Range<UInt64>)
  func theResultsDoNotDependOnTheChunks(seed: UInt64) throws {
    let call = try RandomModule(seed: seed).call
    let steps = call.input.layout.steps
    guard !call.configuration.bidirectional, !call.configuration.module.isCell,
      call.input.packing == nil, steps > 1
    else { return }
    let whole = call.oracleOutputs
    for chunks in [Chunks([1, steps - 1]), Chunks(Array(repeating: 1, count: steps))] {
      let streamed = Oracle(call).outputs(for: call.input, in: chunks)
      for (own, other) in zip(streamed.named, whole.named) {
        #expect(own.tensor.shape == other.tensor.shape)
        let (a, b): ([Double], [Double]) = (own.tensor.elements(), other.tensor.elements())
        #expect(a == b, "\(own.name)")
      }
    }
  }
}
