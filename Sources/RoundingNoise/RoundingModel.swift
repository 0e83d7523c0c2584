import RealModule
package import TensorCore

/// The variance of the rounding error that one operation of a module has, as a
/// function of its result.
///
/// A rounding to nearest with unit roundoff u errs by at most u·|y|, and is taken
/// as uniform within that: variance ⅓u²y². The model of independent roundings is
/// Higham and Mary's ("A new approach to probabilistic rounding error analysis",
/// SIAM J. Sci. Comput. 41(5), 2019); running a computation many times with such
/// errors is Monte Carlo arithmetic (Parker, 1997).
package struct RoundingModel: Sendable, Equatable {
  /// Of what an operation stores.
  let unit: Double
  /// Of the sums inside a product: 16-bit types accumulate in float32.
  let sumUnit: Double
  /// Of the operands of products; 0 where they are used as they are.
  let operandUnit: Double
  let smallestNormal: Double
  let smallestSubnormal: Double
  /// How much larger than life the errors are made, so that they stand out from
  /// the rounding of the doubles that they are computed in; what they cause is
  /// divided by it.
  package let inflation: Double
  /// Where a sum is so large that it may have overflowed on the way.
  let overflow: Double

  /// - Parameter roundsOperands: whether the operands of products are rounded to a
  ///   16-bit type too, where parameters and inputs are not of that type already.
  package init(_ arithmetic: Arithmetic, roundsOperands: Bool = false) {
    unit =
      switch arithmetic {
      case .tf32: Arithmetic.float32.unitRoundoff
      default: arithmetic.unitRoundoff
      }
    sumUnit = min(unit, Arithmetic.float32.unitRoundoff)
    operandUnit = arithmetic == .tf32 || roundsOperands ? arithmetic.unitRoundoff : 0
    (smallestNormal, smallestSubnormal) =
      switch arithmetic {
      case .float16: (0x1p-14, 0x1p-24)
      case .bfloat16: (0x1p-126, 0x1p-133)
      case .tf32, .float32: (0x1p-126, 0x1p-149)
      case .float64: (.leastNormalMagnitude, .leastNonzeroMagnitude)
      }
    overflow =
      switch arithmetic {
      case .float16: 65_504 / 8
      case .float64: .greatestFiniteMagnitude / 8
      default: Double(Float.greatestFiniteMagnitude) / 8
      }
    inflation = arithmetic == .float64 ? 0x1p13 : 1
  }

  /// An addition or a multiplication that gives `y`: √(⅓u²y² + floor²).
  package func rounding(_ y: Double) -> Double {
    deviation((1.0 / 3).squareRoot() * unit * y, smallestSubnormal)
  }

  /// A tanh that gives `y`: libraries err by up to some units in the last place.
  func tanh(_ y: Double) -> Double {
    deviation((8.0 / 3).squareRoot() * unit * y, smallestSubnormal)
  }

  /// A sigmoid that gives `y`: made from an exponential that may flush to zero.
  func sigmoid(_ y: Double) -> Double {
    deviation((8.0 / 3).squareRoot() * unit * y, smallestNormal)
  }

  /// A product of vectors, its terms summed in some order.
  ///
  /// The first of the two squared sums is the expectation over random orders of the
  /// sum of the squared partial sums; the second that sum in the order of the
  /// terms, which is larger where they cancel in a structured way. Each term can
  /// underflow, but for one that is zero.
  func product(_ sum: ProductSum) -> Double {
    guard !sum.isOfZeros else { return 0 }
    let inRandomOrder = sum.count / 6 * sum.squares + sum.count / 3 * sum.value * sum.value
    let summing = sumUnit * (max(inRandomOrder, sum.squaredPartialSums) / 3).squareRoot()
    let operands = operandUnit * (2.0 / 3 * sum.squares).squareRoot()
    let storing = unit * (1.0 / 3).squareRoot() * sum.value
    return deviation(
      length(summing, length(operands, storing)), sum.count.squareRoot() * smallestSubnormal)
  }

  /// 0 where the result is not finite: there is nothing to round. Never squared, so
  /// that the errors of the smallest doubles do not vanish.
  private func deviation(_ own: Double, _ floor: Double) -> Double {
    own.isFinite ? length(own, floor) * inflation : 0
  }

  private func length(_ a: Double, _ b: Double) -> Double {
    let squares = a * a + b * b
    return squares > 0x1p-900 && squares < .infinity ? squares.squareRoot() : .hypot(a, b)
  }
}

/// Σpₖ of a product's terms, and what its rounding depends on.
struct ProductSum {
  /// Terms, a bias among them.
  var count = 0.0
  /// Σpₖ
  var value = 0.0
  /// Σ|pₖ|
  var magnitudes = 0.0
  /// Σpₖ²
  var squares = 0.0
  /// Σsₖ², with sₖ = p₁ + … + pₖ
  var squaredPartialSums = 0.0

  var isOfZeros: Bool { magnitudes == 0 }

  @inline(__always)
  mutating func add(_ term: Double) {
    count += 1
    value += term
    magnitudes += abs(term)
    squares += term * term
    squaredPartialSums += value * value
  }
}
