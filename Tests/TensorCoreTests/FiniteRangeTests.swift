import TensorCore
import Testing

@Suite struct FiniteRangeTests {
  private func found<Element>(_ numbers: [Element], _ type: ElementType) -> FiniteRange {
    var found = FiniteRange()
    numbers.withUnsafeBytes { found.add($0, of: type) }
    return found
  }

  @Test func whatIsNotFiniteIsCountedAndLeftOut() {
    let floats = found([1, .nan, -2, .infinity, 0.5, -.infinity] as [Float], .float32)
    #expect(floats.range == -2...1 && floats.nonFinite == 3)
    let doubles = found([-0.25, .greatestFiniteMagnitude] as [Double], .float64)
    #expect(doubles.range == -0.25...Double.greatestFiniteMagnitude && doubles.nonFinite == 0)
    let halves = found([Half(3), Half(.nan), Half(-65504)], .float16)
    #expect(halves.range == -65504...3 && halves.nonFinite == 1)
    #expect(found([BFloat16(-1.5)], .bfloat16).range == -1.5 ... -1.5)
  }

  @Test func noFiniteNumberIsNoRange() {
    #expect(found([.nan, .infinity] as [Double], .float64).range == nil)
    #expect(found([] as [Float], .float32).range == nil)
    #expect(found([7] as [Int32], .int32).range == nil)
  }

  @Test func partsAreMerged() {
    var all = found([3, .nan] as [Float], .float32)
    all.merge(found([-4, .nan] as [Float], .float32))
    #expect(all.range == -4...3 && all.nonFinite == 2)
    all.merge(FiniteRange())
    #expect(all.range == -4...3)
  }
}
