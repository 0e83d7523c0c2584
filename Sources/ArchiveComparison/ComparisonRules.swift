package import TensorComparison
import TensorCore

/// The options of a comparison of two archives.
package struct ComparisonRules: Sendable {
  /// How far the elements of a tensor may differ, unless `byName` says otherwise. Not `noise`,
  /// since nothing is known of how the tensors were computed.
  package var tolerance = ToleranceRule.torch
  /// The limits of single tensors, by the name of the expected tensor.
  package var byName: [String: Limits] = [:]
  /// The names of actual tensors, by the names of the expected tensors that they belong to, where
  /// the two differ.
  package var map: [String: String] = [:]
  /// Whether the actual side may hold tensors that the expected one does not.
  package var ignoresExtra = false
  /// Whether tensors of different element types can agree.
  package var ignoresType = false
  /// Whether `DifferenceDetail` is made of tensors that agree, too.
  package var isDetailed = false

  package init() {}

  /// The limits for a tensor: its own where `byName` has some; else equality where either side
  /// holds integers; else those of `tolerance` for the coarser of the two element types.
  func limits(_ name: String, _ actual: ElementType, _ expected: ElementType) -> Limits {
    if let own = byName[name] { return own }
    guard let actual = Arithmetic(of: actual), let expected = Arithmetic(of: expected) else {
      return .bits
    }
    return tolerance.limits(for: actual.coarser(expected)) ?? .bits
  }
}

/// `Limits.bound` or `Limits.bits`, in a form that the inner loops can test quickly.
struct Bounds: Sendable {
  let rtol: Double
  let atol: Double
  let isExact: Bool
  /// False where one side holds integers, of which those that no double holds are read as NaN.
  private let allowsNaN: Bool

  init(_ limits: Limits, _ actual: ElementType, _ expected: ElementType) {
    allowsNaN = actual.isFloatingPoint && expected.isFloatingPoint
    (rtol, atol, isExact) =
      if case .bound(let rtol, let atol) = limits { (rtol, atol, false) } else { (0, 0, true) }
  }

  /// Whether `|actual − expected| ≤ atol + rtol · |expected|`, if both are finite. An infinity
  /// passes only where the same infinity is expected, and NaN only where NaN is.
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
