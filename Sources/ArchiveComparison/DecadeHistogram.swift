/// How many differences lie between each power of ten and the next.
package struct DecadeHistogram: Sendable, Equatable {
  /// Differences of exactly 0.
  package private(set) var zeros = 0
  private var counts = [Int](repeating: 0, count: largest - smallest + 1)

  private static let smallest = -324
  private static let largest = 308

  /// 10ᵏ for each k from the smallest to one beyond the largest, which is infinite.
  private static let powers = (smallest...largest + 1).map { Double("1e\($0)") ?? .infinity }

  init() {}

  /// Adds the counts of another histogram.
  mutating func merge(_ other: DecadeHistogram) {
    zeros += other.zeros
    for position in counts.indices { counts[position] += other.counts[position] }
  }

  /// Counts a difference, which is not NaN. O(1).
  @inline(__always)
  mutating func add(_ difference: Double) {
    if difference == 0 { zeros += 1 } else { counts[Self.power(difference) - Self.smallest] += 1 }
  }

  /// The k with 10ᵏ ≤ x < 10ᵏ⁺¹; `largest` for an infinite x.
  static func power(_ x: Double) -> Int {
    guard x.isFinite else { return largest }
    // Estimated from the power of two, which gives k or k − 1.
    let low = max(smallest, Int((Double(x.exponent) * 0.301029995663981).rounded(.down)))
    return x >= powers[low + 1 - smallest] ? low + 1 : low
  }

  /// Every k for which there are differences from 10ᵏ to 10ᵏ⁺¹, with their number, in ascending
  /// order.
  package var occupied: [(power: Int, count: Int)] {
    counts.indices.filter { counts[$0] > 0 }.map { ($0 + Self.smallest, counts[$0]) }
  }
}
