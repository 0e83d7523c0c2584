import TensorCore
import Testing

@testable import ParityTracing

/// What is said of a result that is wrong.
@Suite struct SymptomTests {
  private let shape: Shape = [2, 4, 6]
  private let expected: [Double] = (0..<48).map { (offset: Int) -> Double in
    let scattered = Double((offset * 37) % 101)
    return scattered / 17 - 2.5 + Double(offset) * 0.01
  }

  private func symptoms(_ actual: [Double]) -> [String] {
    SymptomPair(actual: actual, expected: expected, sigma: nil, shape: shape).symptoms
  }

  private func moved(_ index: (Int, Int, Int) -> (Int, Int, Int)?) -> [Double] {
    (0..<48).map { offset in
      guard let (a, b, c) = index(offset / 24, offset / 6 % 4, offset % 6) else { return 0 }
      return expected[a * 24 + b * 6 + c]
    }
  }

  @Test func aFactorASignAndAConstant() {
    #expect(symptoms(expected.map { $0 * 0.5 }) == ["0.5 times what is expected"])
    #expect(symptoms(expected.map { -$0 }) == ["its sign is reversed"])
    #expect(
      symptoms(expected.map { $0 + 0.25 }) == ["0.25 more than what is expected, in each element"])
    #expect(symptoms(expected.map { _ in 0 }) == ["all 0"])
    #expect(symptoms(expected.map { _ in 3 }) == ["all 3.0"])
    #expect(symptoms(expected.map { _ in Double.nan }) == ["all NaN"])
  }

  @Test func stepsInAnotherOrder() {
    #expect(symptoms(moved { ($0, 3 - $1, $2) }) == ["in reverse order along axis 1"])
    #expect(
      symptoms(moved { ($0, ($1 + 3) % 4, $2) })
        == ["1 late along axis 1: index 1 holds what index 0 should"])
    #expect(
      symptoms(moved { ($0, ($1 + 1) % 4, $2) })
        == ["1 early along axis 1: index 0 holds what index 1 should"])
  }

  @Test func halvesAndEnds() {
    #expect(
      symptoms(moved { ($0, $1, ($2 + 3) % 6) }) == ["its halves along axis 2 are exchanged"])
    let half: [Double] = expected.indices.map { offset in
      offset % 6 < 3 ? expected[offset] : expected[offset] + Double(offset)
    }
    #expect(
      symptoms(half)
        == ["the first half of axis 2 is right, the second is not"])
    #expect(
      symptoms(moved { $1 < 3 ? ($0, $1, $2) : nil })
        == ["cut off: right up to index 2 of axis 1, and 0 behind it"])
  }

  @Test func whatIsWrongInNoKnownWayHasNoSymptom() {
    let noisy: [Double] = expected.indices.map { offset in
      expected[offset] + Double((offset * 29) % 13) / 10
    }
    #expect(symptoms(noisy).isEmpty)
  }

  @Test func placesNameWhatDiffersAlone() {
    var actual = expected
    actual[1 * 24 + 2 * 6 + 5] += 1
    let pair = SymptomPair(actual: actual, expected: expected, sigma: nil, shape: shape)
    #expect(
      pair.places
        == "it differs at axis 0: index 1 alone; axis 1: index 2 alone; axis 2: index 5 alone")
  }
}
