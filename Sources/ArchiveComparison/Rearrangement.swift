import TensorArchives
package import TensorComparison
package import TensorCore

/// The actual tensor's elements in another order, under which it agrees.
package enum Rearrangement: Sendable, Equatable {
  /// `expected == actual.transpose(axes)`; `isWhole` where every element was looked
  /// at and not a sample.
  case transposed(axes: [Int], isWhole: Bool)
  /// The same elements row-major, under another shape.
  case reshaped(isWhole: Bool)

  /// Tensors of more axes have too many orders to try.
  private static let mostAxes = 5
  /// Larger tensors are judged by a sample.
  private static let mostElements = 1 << 20
  private static let sampleCount = 1024

  /// Of two tensors in memory.
  package static func found(
    actual: Tensor, expected: Tensor, within limits: Limits
  ) -> Rearrangement? {
    // Nothing has to be read, which is all that could be thrown.
    try? found(
      actual: LoadedSource(tensor: actual), expected: LoadedSource(tensor: expected),
      Bounds(limits))
  }

  /// The simplest that makes the two agree; nil where none does, or nothing finite
  /// stands where it would be seen. O(rank! · elements) of a small tensor.
  static func found(
    actual: any TensorSource, expected: any TensorSource, _ bounds: Bounds
  ) throws(ArchiveError) -> Rearrangement? {
    let (shape, other) = (expected.header.shape, actual.header.shape)
    let count = shape.elementCount
    guard count > 0, count == other.elementCount, shape.rank <= mostAxes, other.rank <= mostAxes
    else { return nil }
    let isWhole = count <= mostElements
    // A sample that meets every residue: a step that no axis divides would do, and
    // an odd fraction of a large tensor nearly always is.
    let offsets =
      isWhole
      ? Array(0..<count)
      : (0..<sampleCount).map { Int((Double($0) * 0.6180339887498949).fraction * Double(count)) }
    let wanted = try numbers(expected, offsets, isWhole: isWhole)
    let whole = isWhole ? try numbers(actual, offsets, isWhole: true) : []
    func agrees(_ place: (Int) -> Int) throws(ArchiveError) -> Bool {
      let places = offsets.map(place)
      let found = isWhole ? places.map { whole[$0] } : try numbers(actual, places, isWhole: false)
      return zip(found, wanted).allSatisfy { bounds.pass($0, $1) }
        && zip(found, wanted).contains { $0.isFinite && $1.isFinite }
    }
    for order in orders(other.rank) where order.map({ other.axes[$0] }) == shape.axes {
      guard shape != other || moves(order, other.axes) else { continue }
      if try agrees({ transposed($0, shape, order, other) }) {
        return .transposed(axes: order, isWhole: isWhole)
      }
    }
    guard shape != other, try agrees({ $0 }) else { return nil }
    return .reshaped(isWhole: isWhole)
  }

  private static func numbers(
    _ source: any TensorSource, _ offsets: [Int], isWhole: Bool
  ) throws(ArchiveError) -> [Double] {
    if isWhole { return try source.block(0..<offsets.count).elements(as: Double.self) }
    var numbers: [Double] = []
    for offset in offsets { numbers.append(try source.block(offset..<offset + 1).double(at: 0)) }
    return numbers
  }

  /// All orders of so many axes but their own, those that exchange two first.
  private static func orders(_ rank: Int) -> [[Int]] {
    var orders: [[Int]] = [[]]
    for _ in 0..<rank {
      orders = orders.flatMap { order in
        (0..<rank).filter { !order.contains($0) }.map { order + [$0] }
      }
    }
    func moved(_ order: [Int]) -> Int { order.indices.count { order[$0] != $0 } }
    return orders.filter { moved($0) > 0 }.enumerated()
      .sorted { (moved($0.element), $0.offset) < (moved($1.element), $1.offset) }.map(\.element)
  }

  /// Whether any element changes its place: axes of one index do not count.
  private static func moves(_ order: [Int], _ sizes: [Int]) -> Bool {
    let long = order.filter { sizes[$0] > 1 }
    return long != long.sorted()
  }

  /// Where in the actual tensor the element stands that belongs at `offset`.
  private static func transposed(
    _ offset: Int, _ shape: Shape, _ order: [Int], _ other: Shape
  ) -> Int {
    let index = shape.index(at: offset)
    var place = [Int](repeating: 0, count: other.rank)
    for axis in order.indices { place[order[axis]] = index[axis] }
    return zip(place, other.axes).reduce(0) { $0 * $1.1 + $1.0 }
  }
}

extension Rearrangement: CustomStringConvertible {
  package var description: String {
    func seen(_ isWhole: Bool) -> String {
      isWhole ? "agrees" : "agrees, as far as a sample shows,"
    }
    switch self {
    case .reshaped(let isWhole):
      return "\(seen(isWhole)) when reshaped: the elements are right, row by row"
    case .transposed(let axes, let isWhole):
      let moved = axes.indices.filter { axes[$0] != $0 }
      return moved.count == 2
        ? "\(seen(isWhole)) with axes \(moved[0]) and \(moved[1]) exchanged"
        : "\(seen(isWhole)) with its axes in the order \(Shape.text(axes))"
    }
  }
}

extension Double {
  fileprivate var fraction: Double { self - rounded(.down) }
}
