import RecurrentModel
import TensorCore

/// A tensor of a chain in replicas, row by row of its last axis.
struct NoisyTensor {
  var shape: SequentialShape
  var rows: [NoisyVector]
  /// By row.
  var isLost: [Bool]

  /// Of an output, whether its first axis is the batch.
  var isBatchFirst = false

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

extension NoisyTensor {
  /// What a recurrent module hands on, of all rows of its output or its h_n.
  func selected(
    _ select: SequentialModule.Selection, _ shape: SequentialShape
  ) -> NoisyTensor {
    let count = shape.axes.dropLast().reduce(1, *)
    switch select {
    case .output:
      return NoisyTensor(shape, rows, isLost: isLost)
    case .hN:
      return NoisyTensor(shape, rows.suffix(count), isLost: isLost.suffix(count))
    case .firstLayer:
      return NoisyTensor(
        shape, Array(rows.prefix(count)), isLost: Array(isLost.prefix(count)))
    case .lastStep:
      let batch = count / shape.directions
      let last = (0..<batch).map { lastRow(of: $0, batch: batch) }
      let halves = last.map { row in
        shape.directions == 1
          ? [rows[row]]
          : { [$0.0, $0.1] }(rows[row].halves(shape.axes.last ?? 0))
      }
      return NoisyTensor(
        shape,
        (0..<shape.directions).flatMap { direction in halves.map { $0[direction] } },
        isLost: (0..<shape.directions).flatMap { _ in last.map { isLost[$0] } })
    }
  }

  /// Where a sequence's last step stands in an output (B, T, …), (T, B, …) or (T, …).
  private func lastRow(of sequence: Int, batch: Int) -> Int {
    let steps = rows.count / max(1, batch)
    return isBatchFirst ? sequence * steps + steps - 1 : (steps - 1) * batch + sequence
  }
}
