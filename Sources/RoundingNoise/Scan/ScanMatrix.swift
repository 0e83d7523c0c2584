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
  /// Whether in 16 bits the product is rounded before the bias is added, and so twice. PyTorch's
  /// `linear` does that where its input is a transposed view, which `batch_first` makes it.
  var isStoredBeforeBias = false
  /// For each row, a sum of biases that in 16 bits may be rounded by itself, as oneDNN's LSTM
  /// does with b_ih + b_hh; nil where there is none.
  var biasSums: [Double]?

  init(_ weights: Tensor, bias: Tensor?) {
    rows = weights.shape.axes[0]
    columns = weights.shape.axes[1]
    self.weights = weights.elements()
    self.bias = bias?.elements() ?? [Double](repeating: 0, count: rows)
    hasBias = bias != nil
  }

  /// The matrix of some of the rows, with their part of the bias.
  func rows(_ rows: [Int]) -> ScanMatrix {
    var part = self
    part.rows = rows.count
    part.weights = rows.flatMap { weights[$0 * columns..<($0 + 1) * columns] }
    part.bias = rows.map { bias[$0] }
    part.biasSums = biasSums.map { sums in rows.map { sums[$0] } }
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
