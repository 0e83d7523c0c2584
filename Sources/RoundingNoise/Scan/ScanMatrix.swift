import TensorCore

/// A weight matrix and its bias as `state_dict` has them, before they are brought into the form
/// that a kind of operations multiplies with.
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

  /// The matrix of some of the rows, with their part of the bias.
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

  /// The matrix with the bias of some rows set to 0.
  func withoutBias(of range: Range<Int>) -> ScanMatrix {
    var part = self
    for row in range { part.bias[row] = 0 }
    return part
  }
}
