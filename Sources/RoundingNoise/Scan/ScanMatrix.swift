import TensorCore

/// A weight matrix as `state_dict` has it, with its bias.
struct ScanMatrix {
  var rows: Int
  var columns: Int
  /// Row-major.
  var weights: [Double]
  /// Zeros where the module has none.
  var bias: [Double]
  var hasBias: Bool

  init(_ weights: Tensor, bias: Tensor?) {
    rows = weights.shape.axes[0]
    columns = weights.shape.axes[1]
    self.weights = weights.elements()
    self.bias = bias?.elements() ?? [Double](repeating: 0, count: rows)
    hasBias = bias != nil
  }

  /// Some of the rows alone.
  func rows(_ range: Range<Int>) -> ScanMatrix {
    var part = self
    part.rows = range.count
    part.weights = Array(weights[range.lowerBound * columns..<range.upperBound * columns])
    part.bias = Array(bias[range])
    return part
  }

  mutating func addToBias(_ number: Double, of range: Range<Int>) {
    for row in range { bias[row] += number }
    hasBias = true
  }

  func withoutBias(of range: Range<Int>) -> ScanMatrix {
    var part = self
    for row in range { part.bias[row] = 0 }
    return part
  }
}
