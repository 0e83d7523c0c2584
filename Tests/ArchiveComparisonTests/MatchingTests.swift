import TensorArchives
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ArchiveComparison

@Suite struct MatchingTests {
  private let one = Tensor([Float(1)], shape: [1])

  @Test func namesMatchAsTheyStand() throws {
    let results = try Pair.compare(
      actual: ["h": one, "state_dict/w": one, "more": one],
      expected: ["h": one, "w": one, "none": one])
    #expect(results.filter { $0.value.passes }.keys.sorted() == ["h"])
    #expect(results.filter { $0.value.isMissing }.keys.sorted() == ["none", "w"])
    #expect(results.filter { $0.value.isExtra }.keys.sorted() == ["more", "state_dict/w"])
  }

  @Test func aMapBringsOtherNamesTogether() throws {
    let two = Tensor([Float(2)], shape: [1])
    let results = try Pair.compare(
      actual: ["a": one, "b": two, "c": one], expected: ["a": two, "b": one]
    ) {
      $0.map = ["a": "b", "b": "a"]
      $0.ignoresExtra = true
    }
    #expect(results.count == 3 && results.values.allSatisfy(\.passes))
    // A tensor that is given to another is not found under its own name too.
    let once = try Pair.compare(actual: ["a": one], expected: ["a": one, "b": one]) {
      $0.map = ["b": "a"]
    }
    #expect(once["b"]?.passes == true && once["a"]?.isMissing == true)
  }

  @Test func namesThatAreNotThereAreErrors() throws {
    for (name, other) in [("none", "b"), ("a", "none")] {
      let error = #expect(throws: ArchiveError.self) {
        try Pair.compare(actual: ["b": one, "c": one], expected: ["a": one, "d": one]) {
          $0.map = [name: other]
        }
      }
      #expect(error?.member == "none")
    }
    #expect(throws: ArchiveError.self) {
      try Pair.compare(actual: ["a": one], expected: ["a": one]) { $0.byName = ["none": .bits] }
    }
  }

  @Test func twoThatStandAloneBelongTogether() throws {
    let results = try Pair.compare(actual: ["x": one], expected: ["y": one])
    #expect(results.count == 1 && results["y"]?.passes == true)
    let files = try Pair.compare(actual: ["": one], expected: ["": one], ending: ".npy")
    #expect(files["expected"]?.passes == true)
  }

  @Test func nothingVacuousAgrees() throws {
    let nan = Tensor([Float.nan, .infinity], shape: [2])
    let none = Tensor([Float](), shape: [0, 3])
    let results = try Pair.compare(
      actual: ["nan": nan, "none": none], expected: ["nan": nan, "none": none])
    #expect(results["nan"]?.passes == false && results["none"]?.passes == true)
    let mixed = Tensor([Float.nan, 1], shape: [2])
    #expect(try Pair.compare(mixed, mixed).agrees)
  }

  @Test func anotherTypeDiffersUnlessItIsIgnored() throws {
    let double = Tensor([1.0], shape: [1])
    #expect(try Pair.compare(actual: ["a": double], expected: ["a": one])["a"]?.passes == false)
    let results = try Pair.compare(actual: ["a": double], expected: ["a": one]) {
      $0.ignoresType = true
    }
    #expect(results["a"]?.passes == true)
  }

  @Test func theToleranceIsOfTheCoarserType() {
    let rules = ComparisonRules()
    #expect(rules.limits("", .float64, .float32) == .bound(rtol: 1.3e-6, atol: 1e-5))
    #expect(rules.limits("", .float16, .float32) == .bound(rtol: 1e-3, atol: 1e-5))
    #expect(rules.limits("", .bfloat16, .float64) == .bound(rtol: 1.6e-2, atol: 1e-5))
    #expect(rules.limits("", .int64, .float64) == .bits)
    #expect(rules.limits("", .int64, .int32) == .bits)
  }

  /// Without rounding on the way, and without a tolerance.
  @Test(arguments: [
    (Int64(1) << 53 + 1, Double(Int64(1) << 53), false), (1_000_000_000, 1_000_000_064, false),
    (Int64(1) << 53 + 1, .nan, false), (1_000_000_000, 1_000_000_000, true),
    (Int64(1) << 53, Double(Int64(1) << 53), true),
  ])
  func integersAreHeldToEqualityBesideFloats(integer: Int64, float: Double, agree: Bool) throws {
    // Beside one that agrees, so that something finite is compared.
    let integers = Tensor([integer, 1], shape: [2])
    let floats = Tensor([float, 1], shape: [2])
    for (actual, expected) in [(integers, floats), (floats, integers)] {
      let results = try Pair.compare(actual: ["a": actual], expected: ["a": expected]) {
        $0.ignoresType = true
      }
      #expect(results["a"]?.passes == agree)
    }
  }
}
