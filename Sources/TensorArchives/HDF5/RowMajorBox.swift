import TensorCore

/// A part of a tensor that is a box along its axes, and at the same time a range of its
/// elements in row-major order.
///
/// In a tensor of the shape (2, 3, 4), the elements 4 to 11 are the box that starts at
/// (0, 1, 0) and has the sizes (1, 2, 4); those from 2 to 9 are three boxes.
struct RowMajorBox: Equatable {
  /// The number of elements before the first one of the box, in row-major order.
  let offset: Int
  /// The index of the first element along every axis.
  let start: [Int]
  /// The number of elements along every axis.
  let sizes: [Int]

  /// The fewest boxes that make up a range of elements, in their order. There are at most
  /// two for each axis.
  ///
  /// - Complexity: O(rank²).
  static func covering(_ range: Range<Int>, of shape: Shape) -> [RowMajorBox] {
    // What one step along each axis passes over.
    var strides = [Int](repeating: 1, count: shape.rank)
    for axis in shape.axes.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape.axes[axis + 1]
    }
    var boxes: [RowMajorBox] = []
    var offset = range.lowerBound
    while offset < range.upperBound {
      let start = shape.index(at: offset)
      // The outermost axis along which whole steps are left.
      let outermost = strides.indices.first {
        offset % strides[$0] == 0 && offset + strides[$0] <= range.upperBound
      }
      guard let axis = outermost else {
        boxes.append(RowMajorBox(offset: offset, start: [], sizes: []))
        break  // a scalar
      }
      let steps = min(
        (range.upperBound - offset) / strides[axis], shape.axes[axis] - start[axis])
      var sizes = shape.axes
      for outer in 0..<axis { sizes[outer] = 1 }
      sizes[axis] = steps
      boxes.append(RowMajorBox(offset: offset, start: start, sizes: sizes))
      offset += steps * strides[axis]
    }
    return boxes
  }
}
