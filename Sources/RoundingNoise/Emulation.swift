package import TensorCore

/// A coarser way to compute than float32: which numbers are rounded on the way, and to what. A
/// reference may have been computed so without saying it. A scan that has an emulation follows it
/// operation by operation.
///
/// ```swift
/// // TF32, as tensor cores have it: both operands of every product are rounded.
/// let emulation = Emulation(weights: .tf32, vectors: .tf32)
/// let coarse = try ChainVariant(chain, emulation: emulation).exactResults()
/// ```
///
/// It does not give the reference's bits: once in some thousand roundings, the last bits of a sum
/// decide to which side it is rounded, and these depend on the order of its terms, which is not
/// known.
package struct Emulation: Sendable, Equatable {
  /// What the weights are rounded to, once, before they are used.
  package var weights: Arithmetic?
  /// What the biases are rounded to, once, before they are used.
  package var biases: Arithmetic?
  /// What x and h are rounded to wherever a matrix is multiplied with them.
  package var vectors: Arithmetic?
  /// Whether the three roundings above cut digits off, toward zero, in place of rounding to
  /// nearest.
  package var truncates = false
  /// What parameters, the operands of products and the result of every operation are rounded to.
  package var results: Arithmetic?
  /// Whether numbers below the smallest normal float32, 2⁻¹²⁶, become zero.
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

  /// The ways in which a float32 module is computed in `arithmetic`: its weights alone are
  /// rounded to it, or with them the biases; both operands of every product, to nearest or toward
  /// zero; or every result.
  package static func ways(of arithmetic: Arithmetic) -> [Emulation] {
    [
      Emulation(weights: arithmetic), Emulation(weights: arithmetic, biases: arithmetic),
      Emulation(weights: arithmetic, vectors: arithmetic),
      Emulation(weights: arithmetic, vectors: arithmetic, truncates: true),
    ] + (arithmetic == .tf32 ? [] : [Emulation(results: arithmetic)])
  }

  /// The number that a weight becomes before it is used.
  func weight(_ x: Double) -> Double { result(weights.map { operand(x, $0) } ?? x) }

  /// The number that a bias becomes before it is used.
  func bias(_ x: Double) -> Double { result(biases.map { operand(x, $0) } ?? x) }

  /// The number that an element of x or h becomes where a matrix is multiplied with it.
  func vector(_ x: Double) -> Double { result(vectors.map { operand(x, $0) } ?? x) }

  func vector(_ x: NoisyVector) -> NoisyVector {
    NoisyVector(
      x.values.map(vector), replicas: x.replicas?.map { $0.mapping(vector) }, least: x.least)
  }

  /// The number that the result of an operation becomes.
  func result(_ x: Double) -> Double {
    let stored = results?.nearest(to: x) ?? x
    return flushesSubnormals && abs(stored) < 0x1p-126 ? 0 : stored
  }

  func result(_ x: NoisyNumber) -> NoisyNumber {
    NoisyNumber(value: result(x.value), replicas: x.replicas.mapping(result), least: x.least)
  }

  /// The number rounded to an arithmetic; cut off where the emulation says so.
  private func operand(_ x: Double, _ arithmetic: Arithmetic) -> Double {
    let nearest = arithmetic.nearest(to: x)
    guard truncates, abs(nearest) > abs(x) else { return nearest }
    // It was rounded away from zero. Back by one unit in the last place, which is twice u of the
    // binade below.
    let unit = x.magnitude.binade * 2 * arithmetic.unitRoundoff
    return x.sign == .minus ? nearest + unit : nearest - unit
  }
}
