import RecurrentModel

/// How the operations of a module are carried out: in doubles (`ExactOperations`), or in replicas
/// each of which has an error of its own (`NoisyOperations`).
///
/// The formulas, `ScanCell` for a step and `ChainScan` for a chain, are written once in terms of
/// these operations, and serve both for what a module computes and for how it rounds. Each
/// operation is told which of the formula's it is, and for which unit, so that its error can be
/// drawn.
protocol StepOperations {
  associatedtype Number
  associatedtype Vector: NumberVector where Vector.Number == Number
  /// A weight matrix with its bias.
  associatedtype Matrix: Sendable

  /// For each row of a cell's two matrices, the first row that is computed from the same weights
  /// and biases, and so rounds alike; nil where no two rows do.
  static func twins(_ input: Matrix, _ hidden: Matrix) -> [Int]?

  /// The same operations at another step of the scan.
  func at(step: Int) -> Self

  /// W x + b.
  func product(_ matrix: Matrix, _ x: Vector, _ operation: NoiseDraws.Operation) -> Vector

  func sum(_ a: Number, _ b: Number, _ operation: NoiseDraws.Operation, _ unit: Int) -> Number
  func product(_ a: Number, _ b: Number, _ operation: NoiseDraws.Operation, _ unit: Int) -> Number
  /// 1 − a
  func complement(_ a: Number, _ unit: Int) -> Number

  /// GRU's h' = (1 − z) ⊙ n + z ⊙ h.
  func interpolated(from n: Number, to h: Number, by z: Number, _ unit: Int) -> Number

  func sigmoid(_ a: Number, _ operation: NoiseDraws.Operation, _ unit: Int) -> Number
  func tanh(_ a: Number, _ operation: NoiseDraws.Operation, _ unit: Int) -> Number
  func relu(_ a: Number) -> Number
  /// Another function in the place of an activation. Its results round as any number does, and
  /// have an error of the given size beside.
  func applied(
    _ function: (Double) -> Double, to a: Number, error: Double, _ operation: NoiseDraws.Operation,
    _ unit: Int
  ) -> Number
  /// a, cut off at `limit` and at its negative, which is exact.
  func clipped(_ a: Number, at limit: Double) -> Number
  /// A vector that a function makes of a whole one, without rounding errors of its own.
  func mapped(_ x: Vector, _ function: ([Double]) -> [Double]) -> Vector
  /// share · a + (1 − share) · b.
  func mixed(
    _ a: Number, _ share: Double, _ b: Number, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> Number
  /// tanh a as 2σ(2a) − 1 with σ in float32, whose error is small beside 1, not beside a small
  /// result.
  func tanhFromSigmoid(
    _ a: Number, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> Number

  func difference(
    _ a: Number, _ b: Number, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> Number
  func quotient(_ a: Number, _ b: Number, _ operation: NoiseDraws.Operation, _ unit: Int) -> Number
  func exponential(_ a: Number, _ operation: NoiseDraws.Operation, _ unit: Int) -> Number
  func logarithm(_ a: Number, _ operation: NoiseDraws.Operation, _ unit: Int) -> Number
  /// Half of a number, which is exact.
  func half(_ a: Number) -> Number
  /// The place of the largest number, by its value without errors; nil where there are none.
  func largest(_ numbers: [Number]) -> Int?
}

extension StepOperations {
  /// The two directions of a step joined into one vector.
  func merged(
    _ forward: Vector, _ reverse: Vector, _ mode: ChainModule.MergeMode
  ) -> Vector {
    switch mode {
    case .concat: Vector(joining: [forward, reverse])
    case .sum: Vector(count: forward.count) { sum(forward[$0], reverse[$0], .hidden, $0) }
    case .mul: Vector(count: forward.count) { product(forward[$0], reverse[$0], .hidden, $0) }
    case .ave: Vector(count: forward.count) { half(sum(forward[$0], reverse[$0], .hidden, $0)) }
    }
  }

  /// The softmax of the numbers on one line, or its logarithm, computed as libraries do: the
  /// largest number is subtracted from all of them first.
  func softmax(_ line: [Number], isLogarithm: Bool) -> [Number] {
    guard let largest = largest(line) else { return [] }
    let differences = line.enumerated().map { difference($1, line[largest], .gateSum, $0) }
    let terms = differences.enumerated().map { exponential($1, .gate, $0) }
    var sum = terms[0]
    for (unit, term) in terms.enumerated().dropFirst() {
      sum = self.sum(sum, term, .cellSum, unit)
    }
    let logarithm = logarithm(sum, .cellActivation, 0)
    return line.indices.map { unit in
      isLogarithm
        ? difference(differences[unit], logarithm, .hidden, unit)
        : quotient(terms[unit], sum, .hidden, unit)
    }
  }
}

/// A vector of the numbers that such operations work on.
protocol NumberVector: Sendable {
  associatedtype Number
  /// The numbers, without errors where they have any.
  var values: [Double] { get }
  init(_ values: [Double])
  init(count: Int, numbers: (Int) -> Number)
  /// The vectors joined, one behind the other.
  init(joining parts: [Self])
  subscript(unit: Int) -> Number { get }
}

extension NumberVector {
  var count: Int { values.count }
}
