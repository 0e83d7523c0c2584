import RealModule
import RecurrentModel
import TensorCore

/// The operations in doubles. Their own rounding is not modeled; where there is an emulation,
/// results are rounded as it says.
struct ExactOperations: StepOperations {
  static func twins(_: ExactMatrix, _: ExactMatrix) -> [Int]? { nil }

  let emulation: Emulation?

  func at(step: Int) -> ExactOperations { self }

  func product(
    _ matrix: ExactMatrix, _ x: [Double], _ operation: NoiseDraws.Operation
  ) -> [Double] {
    guard let emulation else { return matrix.product(with: x) }
    return matrix.product(with: x.map(emulation.vector)).map(emulation.result)
  }

  @inline(__always)
  private func stored(_ x: Double) -> Double { emulation?.result(x) ?? x }

  func sum(_ a: Double, _ b: Double, _: NoiseDraws.Operation, _: Int) -> Double { stored(a + b) }

  func product(_ a: Double, _ b: Double, _: NoiseDraws.Operation, _: Int) -> Double {
    stored(a * b)
  }

  func complement(_ a: Double, _: Int) -> Double { stored(1 - a) }

  func interpolated(from n: Double, to h: Double, by z: Double, _: Int) -> Double {
    stored(stored(stored(1 - z) * n) + stored(z * h))
  }

  func sigmoid(_ a: Double, _: NoiseDraws.Operation, _: Int) -> Double {
    stored(1 / (1 + .exp(-a)))
  }

  func tanh(_ a: Double, _: NoiseDraws.Operation, _: Int) -> Double { stored(.tanh(a)) }

  func relu(_ a: Double) -> Double { stored(a < 0 ? 0 : a) }

  func applied(
    _ function: (Double) -> Double, to a: Double, error _: Double, _: NoiseDraws.Operation, _: Int
  ) -> Double {
    stored(function(a))
  }

  func clipped(_ a: Double, at limit: Double) -> Double { a.clipped(at: limit) }

  func mapped(_ x: [Double], _ function: ([Double]) -> [Double]) -> [Double] { function(x) }

  func mixed(
    _ a: Double, _ share: Double, _ b: Double, _: NoiseDraws.Operation, _: Int
  ) -> Double {
    stored(stored(share * a) + stored((1 - share) * b))
  }

  func tanhFromSigmoid(_ a: Double, _: NoiseDraws.Operation, _: Int) -> Double {
    stored(.tanhFromSigmoid(a))
  }

  func difference(_ a: Double, _ b: Double, _: NoiseDraws.Operation, _: Int) -> Double {
    stored(a - b)
  }

  func quotient(_ a: Double, _ b: Double, _: NoiseDraws.Operation, _: Int) -> Double {
    stored(a / b)
  }

  func exponential(_ a: Double, _: NoiseDraws.Operation, _: Int) -> Double { stored(.exp(a)) }

  func logarithm(_ a: Double, _: NoiseDraws.Operation, _: Int) -> Double { stored(.log(a)) }

  func half(_ a: Double) -> Double { stored(a / 2) }

  func largest(_ numbers: [Double]) -> Int? {
    numbers.indices.max { numbers[$0] < numbers[$1] }
  }
}

extension [Double]: NumberVector {
  var values: [Double] { self }

  init(count: Int, numbers: (Int) -> Double) { self = (0..<count).map(numbers) }

  init(joining parts: [[Double]]) { self = parts.count == 1 ? parts[0] : parts.flatMap(\.self) }
}

/// A weight matrix with its bias, for products in doubles.
struct ExactMatrix: Sendable {
  private let weights: Matrix
  private let bias: [Double]

  init(_ matrix: ScanMatrix, _ emulation: Emulation?) {
    weights = Matrix(
      rows: matrix.rows, columns: matrix.columns,
      elements: emulation.map { matrix.weights.map($0.weight) } ?? matrix.weights)
    bias = matrix.bias.map { emulation?.bias($0) ?? $0 }
  }

  /// W x + b.
  ///
  /// - Complexity: O(rows · columns).
  func product(with x: [Double]) -> [Double] {
    var sums = bias
    weights.addProduct(with: x, to: &sums)
    return sums
  }
}

extension Double {
  /// The number, cut off at `limit` and at its negative.
  func clipped(at limit: Double) -> Double {
    isNaN ? self : Swift.min(limit, Swift.max(-limit, self))
  }

  static func tanhFromSigmoid(_ x: Double) -> Double {
    2 * Double(Float(1 / (1 + .exp(-2 * x)))) - 1
  }
}
