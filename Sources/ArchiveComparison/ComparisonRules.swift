package import TensorComparison
import TensorCore

/// How two archives are held to each other.
package struct ComparisonRules: Sendable {
  /// `torch`, `explicit` or `exact`, for every tensor that `byName` does not name.
  package var tolerance = ToleranceRule.torch
  /// By the name of the expected tensor.
  package var byName: [String: Limits] = [:]
  /// Names of actual tensors, by those of the expected ones.
  package var map: [String: String] = [:]
  /// Whether the actual side may hold tensors that the expected one does not.
  package var ignoresExtra = false
  /// Whether the same numbers in another element type will do.
  package var ignoresType = false
  /// Whether tensors that agree are looked at as closely as those that differ.
  package var isDetailed = false

  package init() {}

  /// What a tensor is held to: its own limits, else equality for integers, on either side,
  /// else the rule's for the coarser of the two types.
  func limits(_ name: String, _ actual: ElementType, _ expected: ElementType) -> Limits {
    if let own = byName[name] { return own }
    guard let actual = Arithmetic(of: actual), let expected = Arithmetic(of: expected) else {
      return .bits
    }
    return tolerance.limits(for: actual.coarser(expected)) ?? .bits
  }
}

/// `Limits` as the inner loops ask them, of `bound` and `bits`.
struct Bounds: Sendable {
  let rtol: Double
  let atol: Double
  let isExact: Bool
  /// Of numbers that are integers on one side, NaN is what no double holds.
  private let allowsNaN: Bool

  init(_ limits: Limits, _ actual: ElementType, _ expected: ElementType) {
    allowsNaN = actual.isFloatingPoint && expected.isFloatingPoint
    (rtol, atol, isExact) =
      if case .bound(let rtol, let atol) = limits { (rtol, atol, false) } else { (0, 0, true) }
  }

  /// `|actual − expected| ≤ atol + rtol · |expected|` of finite numbers; any other is
  /// only right where it is expected.
  @inline(__always)
  func pass(_ actual: Double, _ expected: Double) -> Bool {
    if actual.isNaN && expected.isNaN { return allowsNaN }
    if isExact { return actual.bitPattern == expected.bitPattern }
    return actual == expected
      || actual.isFinite && expected.isFinite
        && abs(actual - expected) <= atol + rtol * abs(expected)
  }

  /// The same for integers, whose difference is exact before it is rounded.
  @inline(__always)
  func pass(_ actual: Int64, _ expected: Int64) -> Bool {
    actual == expected
      || !isExact
        && Double(Tally.distance(actual, expected)) <= atol + rtol * abs(Double(expected))
  }
}
