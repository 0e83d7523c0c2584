/// At which indices of one axis something stands.
package struct AxisHits: Sendable, Equatable {
  package let size: Int
  /// A bit for each index; of a longer axis only the first and the last are kept.
  private var bits: [UInt64]
  /// Empty where nothing was hit.
  package private(set) var bounds: Range<Int> = 0..<0

  /// 8 KiB of bits.
  package static let longest = 1 << 16

  init(size: Int) {
    self.size = size
    bits = [UInt64](repeating: 0, count: size <= Self.longest ? (size + 63) / 64 : 0)
  }

  @inline(__always)
  mutating func hit(_ index: Int) {
    if bounds.isEmpty {
      bounds = index..<index + 1
    } else if !bounds.contains(index) {
      bounds = min(bounds.lowerBound, index)..<max(bounds.upperBound, index + 1)
    }
    if !bits.isEmpty { bits[index >> 6] |= 1 << UInt64(index & 63) }
  }

  mutating func merge(_ other: AxisHits) {
    for index in [other.bounds.lowerBound, other.bounds.upperBound - 1]
    where !other.bounds.isEmpty {
      hit(index)
    }
    for word in bits.indices { bits[word] |= other.bits[word] }
  }

  /// The runs of indices that were hit; nil of an axis too long to tell. O(size).
  package var runs: [Range<Int>]? {
    guard size <= Self.longest else { return nil }
    var runs: [Range<Int>] = []
    for index in 0..<size where bits[index >> 6] >> UInt64(index & 63) & 1 == 1 {
      if let last = runs.last, last.upperBound == index {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }
}
