/// A set of indices along one axis of a tensor: those at which elements differ.
package struct AxisIndexSet: Sendable, Equatable {
  /// The number of indices that the axis has.
  package let size: Int
  /// For each index whether it is in the set; empty for an axis longer than `longest`, of whose
  /// set only the bounds are known.
  private var contains: [Bool]
  /// From the smallest index in the set to the largest; empty where there is none.
  package private(set) var bounds: Range<Int> = 0..<0

  /// The size of the longest axis of which every index is kept.
  package static let longest = 1 << 16

  init(size: Int) {
    self.size = size
    contains = [Bool](repeating: false, count: size <= Self.longest ? size : 0)
  }

  /// Inserts an index. O(1).
  @inline(__always)
  mutating func insert(_ index: Int) {
    if bounds.isEmpty {
      bounds = index..<index + 1
    } else if !bounds.contains(index) {
      bounds = min(bounds.lowerBound, index)..<max(bounds.upperBound, index + 1)
    }
    if !contains.isEmpty { contains[index] = true }
  }

  /// Inserts what is in another set of the same axis. O(size).
  mutating func merge(_ other: AxisIndexSet) {
    guard let first = other.bounds.first, let last = other.bounds.last else { return }
    insert(first)
    insert(last)
    for index in contains.indices where other.contains[index] { contains[index] = true }
  }

  /// The runs of neighbouring indices in the set, in ascending order; nil of an axis longer
  /// than `longest`. O(size).
  package var runs: [Range<Int>]? {
    size <= Self.longest ? Array(contains.indices { $0 }.ranges) : nil
  }
}
