import Testing

@testable import ArchiveComparison

@Suite struct AxisHitsTests {
  @Test func runsAreWhatWasHit() {
    var hits = AxisHits(size: 200)
    #expect(hits.runs == [] && hits.bounds.isEmpty)
    for index in [7, 199, 6, 63, 64, 65] { hits.hit(index) }
    #expect(hits.runs == [6..<8, 63..<66, 199..<200] && hits.bounds == 6..<200)
  }

  @Test(arguments: [200, AxisHits.longest + 1])
  func mergingIsHittingBoth(size: Int) {
    var (one, other, both) = (AxisHits(size: size), AxisHits(size: size), AxisHits(size: size))
    for index in [3, 180] {
      one.hit(index)
      both.hit(index)
    }
    one.merge(other)
    #expect(one == both)
    for index in [0, 90, 181] {
      other.hit(index)
      both.hit(index)
    }
    one.merge(other)
    #expect(one == both && one.bounds == 0..<182)
    #expect((one.runs == nil) == (size > AxisHits.longest))
  }
}
