package import TensorCore

/// A coarser way to compute than float32, which a reference may have been computed
/// in without saying so. A scan follows it operation by operation.
///
/// It does not give the reference's bits: what the sums before a rounding are off by
/// in their last bits decides, once in some thousand roundings, to which side it goes.
package struct Emulation: Sendable, Equatable {
  /// What the weights are rounded to, once.
  package var weights: Arithmetic?
  /// What the biases are rounded to, once.
  package var biases: Arithmetic?
  /// What the other operand of every product, x or h, is rounded to.
  package var vectors: Arithmetic?
  /// Whether those two roundings cut off instead.
  package var truncates = false
  /// What parameters, inputs and the result of every operation are rounded to.
  package var results: Arithmetic?
  /// Whether numbers below the smallest normal float32 become zero.
  package var flushesSubnormals = false

  package init(
    weights: Arithmetic? = nil, biases: Arithmetic? = nil, vectors: Arithmetic? = nil,
    truncates: Bool = false, results: Arithmetic? = nil, flushesSubnormals: Bool = false
  ) {
    self.weights = weights
    self.biases = biases
    self.vectors = vectors
    self.truncates = truncates
    self.results = results
    self.flushesSubnormals = flushesSubnormals
  }

  func weight(_ x: Double) -> Double { result(weights.map { operand(x, $0) } ?? x) }

  func bias(_ x: Double) -> Double { result(biases.map { operand(x, $0) } ?? x) }

  func vector(_ x: Double) -> Double { result(vectors.map { operand(x, $0) } ?? x) }

  func vector(_ x: NoisyVector) -> NoisyVector {
    NoisyVector(
      x.values.map(vector), replicas: x.replicas?.map { $0.mapping(vector) }, least: x.least)
  }

  func result(_ x: Double) -> Double {
    let stored = results?.nearest(to: x) ?? x
    return flushesSubnormals && abs(stored) < 0x1p-126 ? 0 : stored
  }

  func result(_ x: NoisyNumber) -> NoisyNumber {
    NoisyNumber(value: result(x.value), replicas: x.replicas.mapping(result), least: x.least)
  }

  private func operand(_ x: Double, _ arithmetic: Arithmetic) -> Double {
    let nearest = arithmetic.nearest(to: x)
    guard truncates, abs(nearest) > abs(x) else { return nearest }
    // Rounded away from zero: one unit back, which is twice u of the binade below.
    let unit = x.magnitude.binade * 2 * arithmetic.unitRoundoff
    return x.sign == .minus ? nearest + unit : nearest - unit
  }
}
