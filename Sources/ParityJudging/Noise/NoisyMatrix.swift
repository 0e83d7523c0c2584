import TensorCore

/// A weight matrix with its bias, whose products err in the replicas.
struct NoisyMatrix {
  let rows: Int
  let columns: Int
  private let weights: [Double]
  private let bias: [Double]?
  /// For each row the first one with the same weights: what sums the same terms
  /// errs alike, and errors that are alike do not average out.
  private let twins: [Int]

  init(_ weights: Tensor, bias: Tensor?, _ emulation: Emulation? = nil) {
    rows = weights.shape.axes[0]
    columns = weights.shape.axes[1]
    let exact: [Double] = weights.elements()
    self.weights = emulation.map { exact.map($0.weight) } ?? exact
    let exactBias: [Double]? = bias?.elements()
    self.bias = emulation.map { exactBias?.map($0.result) } ?? exactBias
    twins = Self.twins(self.weights, rows: rows, columns: columns)
  }

  /// W x + b. O(rows · columns · replicas), without the replicas where x has none.
  func product(
    with x: NoisyVector, _ noise: StepNoise, _ operation: NoiseDraws.Operation
  ) -> NoisyVector {
    let x = noise.model.emulation?.vector(x) ?? x
    var values = [Double](repeating: 0, count: rows)
    var replicas = [Replicas](repeating: .zero, count: rows)
    weights.withUnsafeBufferPointer { weights in
      for row in 0..<rows {
        let own = UnsafeBufferPointer(rebasing: weights[row * columns..<(row + 1) * columns])
        let sum = sum(own, x.values, bias: bias?[row])
        let exact: Replicas
        if let xReplicas = x.replicas {
          exact = Self.dot(own, xReplicas) + (bias?[row] ?? 0)
        } else {
          exact = Replicas(repeating: sum.value)
        }
        let result = noise.perturbed(
          sum.value, exact, noise.model.product(sum), operation, twins[row])
        values[row] = result.value
        replicas[row] = result.replicas
      }
    }
    return NoisyVector(values, replicas: replicas)
  }

  private static func twins(_ weights: [Double], rows: Int, columns: Int) -> [Int] {
    var first: [ArraySlice<Double>: Int] = [:]
    return (0..<rows).map { row in
      let own = weights[row * columns..<(row + 1) * columns]
      if let twin = first[own] { return twin }
      first[own] = row
      return row
    }
  }

  private func sum(
    _ weights: UnsafeBufferPointer<Double>, _ x: [Double], bias: Double?
  ) -> ProductSum {
    var sum = ProductSum()
    x.withUnsafeBufferPointer { x in
      for column in 0..<columns { sum.add(weights[column] * x[column]) }
    }
    if let bias { sum.add(bias) }
    return sum
  }

  private static func dot(
    _ weights: UnsafeBufferPointer<Double>, _ x: [Replicas]
  ) -> Replicas {
    var sum = Replicas.zero
    x.withUnsafeBufferPointer { x in
      for column in weights.indices { sum += x[column] * weights[column] }
    }
    return sum
  }
}
