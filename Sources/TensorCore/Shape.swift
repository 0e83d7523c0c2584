/// The sizes of a tensor's axes, the outermost first.
///
/// ```swift
/// let shape: Shape = [2, 3, 4]
/// shape.elementCount  // 24
/// shape.index(at: 5)  // [0, 1, 1]
/// "\(shape)"          // (2, 3, 4)
/// ```
///
/// No size is negative, and the number of elements fits an `Int`.
package struct Shape: Sendable, Hashable {
  package let axes: [Int]

  /// The number of elements: the product of the sizes, which is 1 for a scalar, without any
  /// axes.
  package let elementCount: Int

  /// A shape with sizes that a file states; nil where one of them is negative, or their product
  /// does not fit an `Int`, zeros left aside.
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

  /// A shape with sizes that the program itself has made. Sizes that are no shape's end the
  /// program.
  package init(_ axes: [Int]) {
    guard let shape = Shape(checking: axes) else {
      preconditionFailure("negative or overflowing axes: \(axes)")
    }
    self = shape
  }

  /// The number of axes.
  package var rank: Int { axes.count }

  /// The index along each axis of the element at `offset` in row-major order.
  ///
  /// - Complexity: O(rank).
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
  /// The offsets, in row-major order, of the elements that an operation along one axis (such as
  /// softmax) takes together: one list for each index on the other axes.
  ///
  /// Of the shape (2, 3), `lines(along: 0)` is [[0, 3], [1, 4], [2, 5]].
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

  /// Sizes or indices as NumPy prints them: `(1, 4, 5)`, `(5,)`, `()`.
  package static func text(_ axes: [Int]) -> String {
    axes.count == 1
      ? "(\(axes[0]),)" : "(" + axes.map(String.init).joined(separator: ", ") + ")"
  }
}
