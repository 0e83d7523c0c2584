import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ArchiveComparison

/// The loops over blocks against `TensorDifference`, which goes element by element.
@Suite struct TallyTests {
  /// Enough for several blocks, and a remainder.
  private static let shape: Shape = [3, 7, 15_001]

  private static let specials: [Double] = [
    .nan, .infinity, -.infinity, 0, -0.0, 1e-30, 1e30, -1e30, 1e308, -1e308,
  ]

  /// Two sides that mostly agree, with anything at some places on either.
  private static func sides(_ seed: UInt64, specials: Bool) -> (
    actual: [Double], expected: [Double]
  ) {
    var generator = SplitMix64(seed: seed)
    var (actual, expected): ([Double], [Double]) = ([], [])
    for _ in 0..<shape.elementCount {
      let value = Double.random(in: -2...2, using: &generator)
      let factor = Double.random(in: 0..<1, using: &generator) < 0.5 ? 0 : 3e-6
      actual.append(value * (1 + Double.random(in: -1...1, using: &generator) * factor))
      expected.append(value)
    }
    guard specials else { return (actual, expected) }
    for _ in 0..<400 {
      let place = Int.random(in: 0..<actual.count, using: &generator)
      actual[place] = Self.specials.randomElement(using: &generator) ?? 0
      if Bool.random(using: &generator) {
        expected[place] = Self.specials.randomElement(using: &generator) ?? 0
      }
    }
    return (actual, expected)
  }

  #if canImport(CHDF5)
    private static let ending = ".h5"
  #else
    private static let ending = ".npz"
  #endif

  @Test(
    arguments: [
      .bits, .bound(rtol: 1.3e-6, atol: 1e-5), .bound(rtol: 0, atol: 0),
      .bound(rtol: 2e-6, atol: 0), .bound(rtol: 0, atol: 1e40),
    ] as [Limits], [false, true])
  func aTallyIsWhatElementsAddUpTo(limits: Limits, specials: Bool) throws {
    let (a, e) = Self.sides(specials ? 3 : 4, specials: specials)
    for (ours, theirs) in [
      (.float32, .float32), (.float64, .float64), (.float16, .float16), (.bfloat16, .float16),
      (.float32, .float64), (.float64, .bfloat16), (.float16, .float32),
    ] as [(ElementType, ElementType)] {
      guard Self.ending == ".h5" || ![ours, theirs].contains(.bfloat16) else { continue }
      let actual = Tensor(a, shape: Self.shape).rounded(to: ours)
      let expected = Tensor(e, shape: Self.shape).rounded(to: theirs)
      let compared = try Pair.compare(actual, expected, ending: Self.ending, limits)
      let naive = TensorDifference(of: actual, from: expected, within: limits)
      let tally = compared.tally
      #expect(tally.mismatches == naive.mismatched.count, "\(ours), \(theirs)")
      #expect(tally.nonFiniteMismatches == naive.mismatched.nonFiniteDisagreements)
      #expect(tally.finiteCount == naive.measured.finiteCount)
      for (own, other) in [
        (tally.largestAbsolute, naive.measured.largestAbsolute),
        (tally.largestRelative, naive.measured.largestRelative),
      ] {
        #expect(own?.value ?? 0 == other?.value ?? 0)
        if let own, let other { #expect(own.offset == other.offset) }
      }
      #expect(compared.isOfAnotherType == (ours != theirs))
    }
  }

  @Test func integersAreComparedExactly() throws {
    let large = Int64.max - 3
    let expected: [Int64] = [large, .min, 5, -7, 0]
    let same = try Pair.compare(Tensor(expected, shape: [5]), Tensor(expected, shape: [5]))
    #expect(same.agrees && same.limits == .bits)
    let other = try Pair.compare(
      Tensor([large + 1, .max, 5, -7, 0], shape: [5]), Tensor(expected, shape: [5]))
    #expect(other.tally.mismatches == 2)
    #expect(other.largestAbsolute?.value == 0x1p64)
    #expect(other.largestAbsolute?.actual == .integer(.max))
    #expect(other.largestAbsolute?.expected == .integer(.min))
    // Doubles would not tell them apart.
    #expect(Double(large + 1) == Double(large))
    let near = Tensor([Int32(5), -6], shape: [2])
    let within = Limits.bound(rtol: 0, atol: 1)
    let far = Tensor([Int32(5), -7], shape: [2])
    #expect(try Pair.compare(near, far, within).agrees)
    #expect(try !Pair.compare(near, far).agrees)
  }

  @Test func whatWouldPassPasses() throws {
    let (a, e) = Self.sides(5, specials: false)
    let (actual, expected) = (Tensor(a, shape: Self.shape), Tensor(e, shape: Self.shape))
    let atol = 1e-7
    let compared = try Pair.compare(actual, expected, .bound(rtol: 1e-7, atol: atol))
    #expect(!compared.agrees)
    let rtol = try #require(compared.detail?.sufficientRtol)
    let largest = try #require(compared.largestAbsolute?.value)
    #expect(try Pair.compare(actual, expected, .bound(rtol: rtol, atol: atol)).agrees)
    #expect(try !Pair.compare(actual, expected, .bound(rtol: rtol * 0.999, atol: atol)).agrees)
    #expect(try Pair.compare(actual, expected, .bound(rtol: 0, atol: largest)).agrees)
    #expect(try !Pair.compare(actual, expected, .bound(rtol: 0, atol: largest.nextDown)).agrees)
  }

  @Test func differencesAreCountedByPowersOfTen() throws {
    for power in -323...307 {
      let bound = try #require(Double("1e\(power)"))
      #expect(
        DecadeHistogram.power(bound) == power && DecadeHistogram.power(bound.nextDown) == power - 1)
    }
    let compared = try Pair.compare(
      Tensor([1, 1.5, 1.75, 3, .nan, 0.1], shape: [6]), Tensor([1, 1, 1, 1, 1, 0], shape: [6]))
    let decades = try #require(compared.detail?.decades)
    #expect(decades.zeros == 1)
    #expect(decades.occupied.map(\.power) == [-1, 0] && decades.occupied.map(\.count) == [3, 1])
  }

  @Test func mismatchesLieWhereTheyLie() throws {
    let shape: Shape = [4, 5, 40_000]
    let zeros = [Float](repeating: 1, count: shape.elementCount)
    var changed = zeros
    for (i, j, k) in [(1, 3, 0), (1, 3, 17), (3, 3, 18), (2, 3, 39_999)] {
      changed[(i * 5 + j) * 40_000 + k] = 2
    }
    let axes = try #require(
      Pair.compare(Tensor(changed, shape: shape), Tensor(zeros, shape: shape)).detail?.axes)
    #expect(axes[0].runs == [1..<4] && axes[1].runs == [3..<4])
    #expect(axes[2].runs == [0..<1, 17..<19, 39_999..<40_000])
  }
}
