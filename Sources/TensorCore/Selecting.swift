extension Tensor {
  /// The slices at some places of one axis, in the order in which they are named.
  ///
  /// Of a tensor (3, 4, 5), `selecting([2, 0], along: 1)` is the (3, 2, 5) of its third and
  /// its first column.
  ///
  /// - Parameter places: each within the axis; one may be named several times.
  /// - Complexity: O(elements that are taken).
  package func selecting(_ places: [Int], along axis: Int) -> Tensor {
    var axes = shape.axes
    let (size, inner) = (axes[axis], axes[(axis + 1)...].reduce(1, *))
    let outer = axes[..<axis].reduce(1, *)
    axes[axis] = places.count
    let starts = (0..<outer).flatMap { block in places.map { (block * size + $0) * inner } }
    return gathering(blocksOf: inner, at: starts, shape: Shape(axes))
  }

  /// The elements cut into as many equal runs as `order` has numbers, and these put into
  /// that order: the gates of a weight, the rows of a state.
  ///
  /// - Complexity: O(elements).
  package func takingBlocks(_ order: [Int]) -> Tensor {
    let size = count / order.count
    return gathering(blocksOf: size, at: order.map { $0 * size }, shape: shape)
  }

  /// The two halves of the last axis exchanged: the directions of an output.
  ///
  /// - Complexity: O(elements).
  package var halvesExchanged: Tensor {
    let half = (shape.axes.last ?? 0) / 2
    guard half > 0 else { return self }
    return gathering(
      blocksOf: half, at: (0..<count / half).map { ($0 ^ 1) * half }, shape: shape)
  }

  /// The elements of another tensor of the same type behind its own, on one axis.
  ///
  /// - Complexity: O(elements).
  package func appending(_ other: Tensor) -> Tensor {
    func joined<Element>(_ a: Elements<Element>, _ b: Elements<Element>) -> Tensor {
      Tensor(a.array + b.array, shape: [count + other.count])
    }
    return switch (storage, other.storage) {
    case (.float16(let a), .float16(let b)): joined(a, b)
    case (.bfloat16(let a), .bfloat16(let b)): joined(a, b)
    case (.float32(let a), .float32(let b)): joined(a, b)
    case (.float64(let a), .float64(let b)): joined(a, b)
    case (.int32(let a), .int32(let b)): joined(a, b)
    case (.int64(let a), .int64(let b)): joined(a, b)
    default: preconditionFailure("\(elementType) beside \(other.elementType)")
    }
  }
}
