/// How the operations of a step are carried out: exactly, or in replicas that err.
///
/// One set of formulas, `ScanCell`, then serves what a module computes and what its
/// rounding is expected to be.
protocol StepArithmetic {
  associatedtype Number
  associatedtype Vector: NumberVector where Vector.Number == Number
  /// A weight matrix with its bias.
  associatedtype Matrix: Sendable

  /// The same, at another step of the scan.
  func at(step: Int) -> Self

  /// W x + b.
  func product(_ matrix: Matrix, _ x: Vector, _ operation: NoiseDraws.Operation) -> Vector

  func sum(_ a: Number, _ b: Number, _ operation: NoiseDraws.Operation, _ unit: Int) -> Number
  func product(_ a: Number, _ b: Number, _ operation: NoiseDraws.Operation, _ unit: Int) -> Number
  /// 1 − a
  func complement(_ a: Number, _ unit: Int) -> Number

  func sigmoid(_ a: Number, _ operation: NoiseDraws.Operation, _ unit: Int) -> Number
  func tanh(_ a: Number, _ operation: NoiseDraws.Operation, _ unit: Int) -> Number
  func relu(_ a: Number) -> Number
  /// slope · a + ½, cut off at 0 and 1.
  func hardSigmoid(
    _ a: Number, slope: Double, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> Number
  /// tanh a as 2σ(2a) − 1 in float32, which is absolutely, not relatively accurate.
  func tanhFromSigmoid(
    _ a: Number, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> Number
}

protocol NumberVector {
  associatedtype Number
  var values: [Double] { get }
  init(_ values: [Double])
  init(count: Int, numbers: (Int) -> Number)
  /// Of one vector behind the other.
  init(joining parts: [Self])
  subscript(unit: Int) -> Number { get }
}

extension NumberVector {
  var count: Int { values.count }
}
