/// The sizes of a tensor's axes, outermost first.
///
/// No axis is negative, and the product of the axes fits an `Int`.
package struct Shape: Sendable, Hashable {
  package let axes: [Int]

  /// The product of the axes: 1 for a scalar, which has no axes.
  package let elementCount: Int

  /// A shape out of sizes that a file states; nil when one of them is negative
  /// or their product overflows.
  package init?(checking axes: [Int]) {
    var count = 1
    var isEmpty = false
    for axis in axes {
      guard axis >= 0 else { return nil }
      // An empty tensor's other axes must not overflow, however large they are.
      if axis == 0 { isEmpty = true }
      let (product, overflow) = count.multipliedReportingOverflow(by: max(axis, 1))
      guard !overflow else { return nil }
      count = product
    }
    self.axes = axes
    self.elementCount = isEmpty ? 0 : count
  }

  /// A shape out of sizes that the program itself knows to be sound.
  package init(_ axes: [Int]) {
    guard let shape = Shape(checking: axes) else {
      preconditionFailure("negative or overflowing axes: \(axes)")
    }
    self = shape
  }

  /// The number of axes.
  package var rank: Int { axes.count }

  /// The index along each axis of the element that stands at `offset` in
  /// row-major order. O(rank).
  package func index(at offset: Int) -> [Int] {
    var remainder = offset
    var index = [Int](repeating: 0, count: rank)
    for axis in axes.indices.reversed() {
      (remainder, index[axis]) = remainder.quotientAndRemainder(dividingBy: axes[axis])
    }
    return index
  }
}

extension Shape {
  /// The offsets of the elements along an axis, for each place on the others.
  ///
  /// - Parameter axis: a negative one counts from the last.
  /// - Complexity: O(elements).
  package func lines(along axis: Int) -> [[Int]] {
    let axis = axis < 0 ? axis + rank : axis
    let (count, stride) = (axes[axis], axes[(axis + 1)...].reduce(1, *))
    guard elementCount > 0 else { return [] }
    return (0..<elementCount / count).map { line in
      let (block, offset) = line.quotientAndRemainder(dividingBy: stride)
      return (0..<count).map { (block * count + $0) * stride + offset }
    }
  }
}

extension Shape: ExpressibleByArrayLiteral {
  package init(arrayLiteral axes: Int...) { self.init(axes) }
}

extension Shape: CustomStringConvertible {
  package var description: String { Self.text(axes) }

  /// As NumPy prints a shape or an index: `(1, 4, 5)`, `(5,)`, `()`.
  package static func text(_ axes: [Int]) -> String {
    axes.count == 1
      ? "(\(axes[0]),)" : "(" + axes.map(String.init).joined(separator: ", ") + ")"
  }
}
