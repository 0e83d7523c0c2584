/// Differences counted by powers of ten.
package struct Decades: Sendable, Equatable {
  /// Differences of exactly 0.
  package private(set) var zeros = 0
  private var counts = [Int](repeating: 0, count: largest - smallest + 1)

  private static let smallest = -324
  private static let largest = 308

  /// 10ᵏ for each k from the smallest to one beyond the largest, which is infinite.
  private static let powers = (smallest...largest + 1).map { Double("1e\($0)") ?? .infinity }

  init() {}

  mutating func merge(_ other: Decades) {
    zeros += other.zeros
    for position in counts.indices { counts[position] += other.counts[position] }
  }

  @inline(__always)
  mutating func add(_ difference: Double) {
    guard difference > 0 else {
      zeros += 1
      return
    }
    counts[Self.power(difference) - Self.smallest] += 1
  }

  /// The k with 10ᵏ ≤ x < 10ᵏ⁺¹; the largest for what is infinite.
  static func power(_ x: Double) -> Int {
    guard x.isFinite else { return largest }
    // By the power of two, which is at most one too low.
    let low = max(smallest, Int((Double(x.exponent) * 0.301029995663981).rounded(.down)))
    return x >= powers[low + 1 - smallest] ? low + 1 : low
  }

  /// The powers k that occur, each with the number of differences from 10ᵏ to 10ᵏ⁺¹,
  /// from the smallest.
  package var occupied: [(power: Int, count: Int)] {
    counts.indices.filter { counts[$0] > 0 }.map { ($0 + Self.smallest, counts[$0]) }
  }
}
