import TensorCore
import Testing

@testable import RecurrentModel

@Suite struct SequenceLayoutTests {
  @Test(arguments: [([3, 4, 5], true), ([3, 4, 5], false), ([4, 5], true), ([4, 5], false)])
  func rowsAndPositionsAreInverse(axes: [Int], batchFirst: Bool) throws {
    let layout = try #require(SequenceLayout(ofSequences: Shape(axes), batchFirst: batchFirst))
    #expect(layout.axes(features: 5) == axes)
    var seen: Set<Int> = []
    for sequence in 0..<layout.batch {
      for step in 0..<layout.steps {
        let row = layout.row(sequence: sequence, step: step)
        #expect(layout.position(ofRow: row) == (sequence, step))
        seen.insert(row)
      }
    }
    #expect(seen == Set(0..<layout.batch * layout.steps))
  }

  @Test func batchFirstNeverChangesStates() throws {
    for batchFirst in [true, false] {
      let shape: Shape = batchFirst ? [3, 4, 5] : [4, 3, 5]
      let layout = try #require(SequenceLayout(ofSequences: shape, batchFirst: batchFirst))
      #expect(layout.batch == 3)
      #expect(layout.stateAxes(rows: 2, features: 6) == [2, 3, 6])
    }
  }

  @Test func refusesOtherRanks() {
    #expect(SequenceLayout(ofSequences: [5], batchFirst: true) == nil)
    #expect(SequenceLayout(ofSequences: [1, 2, 3, 4], batchFirst: true) == nil)
  }
}
