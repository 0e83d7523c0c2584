import TensorCore

/// A weight matrix (rows, columns), stored by columns: the products of one
/// input element with all rows stand side by side, so that the machine adds to
/// many sums at once and each sum keeps its order.
struct PackedMatrix<Scalar: FloatingElement> {
  let rows: Int
  let columns: Int
  private let elements: [Scalar]

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  init(_ tensor: Tensor) {
    let (rows, columns) = (tensor.shape.axes[0], tensor.shape.axes[1])
    let source = tensor.elements(as: Scalar.self)
    self.rows = rows
    self.columns = columns
    elements = [Scalar](unsafeUninitializedCapacity: rows * columns) { buffer, initialized in
      for column in 0..<columns {
        for row in 0..<rows {
          buffer[column * rows + row] = source[row * columns + column]
        }
      }
      initialized = rows * columns
    }
  }

  /// Adds `self · x` to `sums`, term after term in the order of the columns.
  ///
  /// - Parameters:
  ///   - x: `columns` elements.
  ///   - sums: `rows` elements.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func addProduct(with x: UnsafePointer<Scalar>, to sums: UnsafeMutablePointer<Scalar>) {
    elements.withUnsafeBufferPointer { weights in
      guard let weights = weights.baseAddress else { return }
      for column in 0..<columns {
        let factor = x[column]
        let terms = weights + column * rows
        for row in 0..<rows { sums[row] += terms[row] * factor }
      }
    }
  }
}
