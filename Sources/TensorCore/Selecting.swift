extension Tensor {
  /// The slices at some indices of one axis, in the order of the indices, as `take` selects
  /// them in NumPy.
  ///
  /// Of a tensor of the shape (3, 4, 5), `selecting([2, 0], along: 1)` has the shape (3, 2, 5):
  /// the third and the first index along axis 1.
  ///
  /// - Parameter places: indices within the axis; one may stand there several times.
  /// - Complexity: O(elements of the result).
  package func selecting(_ places: [Int], along axis: Int) -> Tensor {
    var axes = shape.axes
    let (size, inner) = (axes[axis], axes[(axis + 1)...].reduce(1, *))
    let outer = axes[..<axis].reduce(1, *)
    axes[axis] = places.count
    let starts = (0..<outer).flatMap { block in places.map { (block * size + $0) * inner } }
    return gathering(blocksOf: inner, at: starts, shape: Shape(axes))
  }

  /// The elements cut into as many runs of the same length as `order` has numbers, and these
  /// runs in that order, under the same shape. So the gates of a weight, or the rows of a
  /// state, change places.
  ///
  /// Of a tensor with the elements 1, 2, 3, 4, `takingBlocks([1, 0])` has 3, 4, 1, 2.
  ///
  /// - Complexity: O(elements).
  package func takingBlocks(_ order: [Int]) -> Tensor {
    let size = count / order.count
    return gathering(blocksOf: size, at: order.map { $0 * size }, shape: shape)
  }

  /// The tensor with the two halves of its last axis exchanged, which are the two directions
  /// of a bidirectional module's output.
  ///
  /// - Complexity: O(elements).
  package var halvesExchanged: Tensor {
    let half = (shape.axes.last ?? 0) / 2
    guard half > 0 else { return self }
    return gathering(
      blocksOf: half, at: (0..<count / half).map { ($0 ^ 1) * half }, shape: shape)
  }

  /// The elements of both tensors, those of the other one behind its own, on a single axis. Both
  /// must have the same element type.
  ///
  /// - Complexity: O(elements).
  package func appending(_ other: Tensor) -> Tensor { Tensor(concatenating: [self, other]) }

  /// The elements of some tensors, one tensor behind the other, on a single axis. There is at
  /// least one, and all must have the same element type.
  ///
  /// - Complexity: O(elements).
  package init(concatenating parts: [Tensor]) {
    func joined<Element>(_ elements: (Storage) -> Elements<Element>?) -> Tensor {
      let all = parts.flatMap { part -> [Element] in
        guard let own = elements(part.storage) else {
          preconditionFailure("\(parts[0].elementType) beside \(part.elementType)")
        }
        return own.array
      }
      return Tensor(all, shape: [all.count])
    }
    self =
      switch parts[0].storage {
      case .float16: joined { if case .float16(let own) = $0 { own } else { nil } }
      case .bfloat16: joined { if case .bfloat16(let own) = $0 { own } else { nil } }
      case .float32: joined { if case .float32(let own) = $0 { own } else { nil } }
      case .float64: joined { if case .float64(let own) = $0 { own } else { nil } }
      case .int32: joined { if case .int32(let own) = $0 { own } else { nil } }
      case .int64: joined { if case .int64(let own) = $0 { own } else { nil } }
      }
  }
}
