import TensorCore
import Testing

@testable import RoundingNoise

@Suite struct NoiseDrawsTests {
  @Test func drawsHaveMeanZeroAndVarianceOne() {
    let draws = NoiseDraws(layer: 1, direction: 0, sequence: 2, group: 0, units: 50)
    var (sum, squares, count) = (0.0, 0.0, 0.0)
    for unit in 0..<50 {
      for step in 0..<40 {
        let draw = draws.draw(.gate, unit: unit, step: step)
        sum += draw.sum()
        squares += (draw * draw).sum()
        count += 16
      }
    }
    #expect(abs(sum / count) < 0.05)
    #expect(abs(squares / count - 1) < 0.05)
  }

  /// Of half of each, four fifths are the same at every step and one fifth changes its sign; all
  /// else is different everywhere.
  @Test func halfOfADrawIsFrozen() {
    let draws = NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 400)
    var (frozen, alternating, other) = (0.0, 0.0, 0.0)
    for unit in 0..<399 {
      let first = draws.draw(.gate, unit: unit, step: 0)
      frozen += (first * draws.draw(.gate, unit: unit, step: 2)).sum()
      alternating += (first * draws.draw(.gate, unit: unit, step: 1)).sum()
      other += (first * draws.draw(.gate, unit: unit + 1, step: 0)).sum()
      other += (first * draws.draw(.hidden, unit: unit, step: 0)).sum()
    }
    #expect(abs(frozen / (399 * 16) - 0.5) < 0.05)
    #expect(abs(alternating / (399 * 16) - 0.3) < 0.05)
    #expect(abs(other / (2 * 399 * 16)) < 0.05)
    let group = NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 1, units: 1)
    #expect(group.draw(.gate, unit: 0, step: 0) != draws.draw(.gate, unit: 0, step: 0))
  }
}

/// Equal draws in two places would make independent errors look like one.
@Suite struct NoiseDrawsPlaceTests {
  private func first(module: Int = 0, layer: Int = 0, sequence: Int = 0, group: Int = 0) -> Replicas
  {
    NoiseDraws(
      module: module, layer: layer, direction: 0, sequence: sequence, group: group, units: 1
    ).draw(.gate, unit: 0, step: 0)
  }

  @Test func everyPlaceHasDrawsOfItsOwn() {
    var seen: Set<Replicas> = []
    var count = 0
    for module in [0, 1, 2, 15, 16, 254, 255] {
      for layer in [0, 1, 15, 16, 17, 255, 256, 257, 4095] {
        for group in [0, 1, 2, 15, 16, 63] {
          seen.insert(first(module: module, layer: layer, group: group))
          count += 1
        }
      }
    }
    #expect(seen.count == count)
  }
}
