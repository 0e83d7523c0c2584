import Testing

@testable import ArchiveComparison

@Suite struct AxisIndexSetTests {
  @Test func runsAreWhatWasHit() {
    var indices = AxisIndexSet(size: 200)
    #expect(indices.runs == [] && indices.bounds.isEmpty)
    for index in [7, 199, 6, 63, 64, 65] { indices.insert(index) }
    #expect(indices.runs == [6..<8, 63..<66, 199..<200] && indices.bounds == 6..<200)
  }

  @Test(arguments: [200, AxisIndexSet.longest + 1])
  func mergingIsHittingBoth(size: Int) {
    var (one, other, both) = (
      AxisIndexSet(size: size), AxisIndexSet(size: size), AxisIndexSet(size: size)
    )
    for index in [3, 180] {
      one.insert(index)
      both.insert(index)
    }
    one.merge(other)
    #expect(one == both)
    for index in [0, 90, 181] {
      other.insert(index)
      both.insert(index)
    }
    one.merge(other)
    #expect(one == both && one.bounds == 0..<182)
    #expect((one.runs == nil) == (size > AxisIndexSet.longest))
  }
}
