import RecurrentModel
import TensorCore

/// A tensor of a chain in replicas, row by row of its last axis.
struct NoisyTensor {
  var shape: SequentialShape
  var rows: [NoisyVector]
  /// By row.
  var isLost: [Bool]

  /// Elements of a row.
  var size: Int { shape.axes.last ?? 0 }

  init(_ shape: SequentialShape, _ rows: [NoisyVector], isLost: [Bool]) {
    self.shape = shape
    self.rows = rows
    self.isLost = isLost
  }
}

extension NoisyTensor {
  /// What all replicas agree on.
  init(exact tensor: Tensor) {
    let size = tensor.shape.axes.last ?? 1
    let elements = tensor.integers?.map(Double.init) ?? tensor.elements(as: Double.self)
    let count = size == 0 ? 0 : elements.count / size
    let rows = (0..<count).map { NoisyVector(Array(elements[$0 * size..<($0 + 1) * size])) }
    self.init(
      SequentialShape(tensor.shape.axes), rows,
      isLost: Array(repeating: false, count: count))
  }
}
