package import TensorArchives
package import TensorCore

/// A parameter of PyTorch's that does not stand in a checkpoint as it is, but is made of tensors
/// that do.
package struct DerivedTensor: Sendable {
  /// Its type and shape, which the headers of the tensors that it is made of tell.
  package let header: TensorHeader
  /// The names of the tensors that it is made of.
  package let sources: [String]
  /// Makes it, of these tensors in this order.
  ///
  /// Throws `ArchiveError.Reason` where they do not fit together.
  package let make: @Sendable ([Tensor]) throws(ArchiveError.Reason) -> Tensor
}

extension DerivedTensor {
  /// A tensor of the file under another name, or of one row of it.
  ///
  /// - Parameters:
  ///   - isTransposed: whether a matrix stands there with its axes exchanged.
  ///   - row: of the tensor that stands there; nil for all of it.
  ///   - gates: the blocks of the rows, in PyTorch's order; none where they are in it.
  init(
    _ source: String, _ header: TensorHeader, isTransposed: Bool = false, row: Int? = nil,
    gates: [Int] = []
  ) {
    let axes = row == nil ? header.shape.axes : Array(header.shape.axes.dropFirst())
    let shape = Shape(isTransposed ? axes.reversed() : axes)
    self.init(header: TensorHeader(header.elementType, shape), sources: [source]) { sources in
      var tensor = sources[0]
      if let row { tensor = tensor.selecting([row], along: 0).reshaped(shape) }
      if isTransposed { tensor = tensor.transposed(to: shape) }
      return gates.isEmpty ? tensor : tensor.takingBlocks(gates)
    }
  }

  /// Zeros, where PyTorch has a parameter that the file's framework does without.
  ///
  /// - Parameter source: a tensor of the same type and shape.
  static func zeros(as source: String, _ header: TensorHeader) -> DerivedTensor {
    DerivedTensor(header: header, sources: [source]) { _ in
      Tensor([Double](repeating: 0, count: header.shape.elementCount), shape: header.shape)
        .rounded(to: header.elementType)
    }
  }
}

extension Tensor {
  /// A matrix with its axes exchanged.
  ///
  /// - Parameter shape: of the result.
  fileprivate func transposed(to shape: Shape) -> Tensor {
    let (rows, columns) = (shape.axes[0], shape.axes[1])
    let offsets = (0..<rows).flatMap { row in (0..<columns).map { $0 * rows + row } }
    return gathering(offsets, shape: shape)
  }
}
