import ArchiveComparison
import TensorCore

/// The order of a tensor's axes in which it comes nearest to another: a port that keeps time before
/// the batch has the right numbers in another order, and an error besides must not hide that.
enum NearestOrder {
  /// An order is taken where its differences are at most this share of the tensor's size, by the
  /// root mean square.
  private static let largestRelative = 0.3

  /// - Returns: the tensor in that order, with the shape of `expected`; nil where the shapes can't
  ///   be brought together by exchanging axes, or no order comes near.
  /// - Complexity: O(rank! · elements).
  static func found(
    actual: Tensor, expected: Tensor
  ) -> (tensor: Tensor, rearrangement: Rearrangement?)? {
    let squeezed = Shape(actual.shape.axes.filter { $0 != 1 })
    let wanted = expected.shape.axes.filter { $0 != 1 }
    guard squeezed.rank <= 5, squeezed.axes.sorted() == wanted.sorted() else { return nil }
    var best: (distance: Double, order: [Int], tensor: Tensor)?
    for order in Shape.orders(squeezed.rank) where order.map({ squeezed.axes[$0] }) == wanted {
      let moved = actual.reshaped(squeezed).permuted(order)
      let distance = relativeRMS(moved, expected)
      if distance < best?.distance ?? .infinity { best = (distance, order, moved) }
    }
    guard let best, best.distance <= largestRelative else { return nil }
    return (
      best.tensor.reshaped(expected.shape),
      best.order == Array(squeezed.axes.indices)
        ? nil : .transposed(axes: best.order, isWhole: true)
    )
  }

  private static func relativeRMS(_ actual: Tensor, _ expected: Tensor) -> Double {
    let (a, e) = (actual.elements() as [Double], expected.elements() as [Double])
    var (difference, size) = (0.0, 0.0)
    for (a, e) in zip(a, e) where a.isFinite && e.isFinite {
      difference += (a - e) * (a - e)
      size += e * e
    }
    return (difference / size).squareRoot()
  }
}

extension Shape {
  /// All orders of so many axes. O(rank!).
  static func orders(_ rank: Int) -> [[Int]] {
    var orders: [[Int]] = [[]]
    for _ in 0..<rank {
      orders = orders.flatMap { order in
        (0..<rank).filter { !order.contains($0) }.map { order + [$0] }
      }
    }
    return orders
  }
}

extension Tensor {
  /// The order of this tensor's axes in which it is `other`, element by element; nil where there is
  /// none. O(rank! · elements).
  func order(thatGives other: Tensor) -> [Int]? {
    guard shape.rank == other.shape.rank, shape.rank <= 5 else { return nil }
    let wanted = other.elements() as [Double]
    return Shape.orders(shape.rank).first { order in
      order.map { shape.axes[$0] } == other.shape.axes
        && permuted(order).elements() as [Double] == wanted
    }
  }

  /// The tensor whose axis `k` is this tensor's axis `order[k]`. O(elements).
  func permuted(_ order: [Int]) -> Tensor {
    let sizes = shape.axes
    var strides = [Int](repeating: 1, count: sizes.count)
    for axis in sizes.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * sizes[axis + 1]
    }
    let (own, steps) = (order.map { sizes[$0] }, order.map { strides[$0] })
    var offsets = [0]
    for (size, step) in zip(own, steps) {
      offsets = offsets.flatMap { start in (0..<size).map { start + $0 * step } }
    }
    return gathering(offsets, shape: Shape(own))
  }
}
