import RealModule
package import TensorCore

/// How large the rounding error of each kind of operation is expected to be in some arithmetic:
/// the standard deviation of the error, as a function of the operation's result.
///
/// ```swift
/// let model = RoundingModel(.float32)
/// model.rounding(1)  // 3.4e-08: 2⁻²⁴ / √3
/// ```
///
/// A rounding to nearest with unit roundoff u errs by at most u·|y|, and its error is taken as
/// uniform within that, so its variance is ⅓u²y². The model of independent roundings is Higham
/// and Mary's ("A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput.
/// 41(5), 2019); running a computation many times with such errors is Monte Carlo arithmetic
/// (Parker, 1997).
///
/// It speaks of one operation. What the errors of all operations come to in a result is measured
/// by `NoiseEstimate`.
package struct RoundingModel: Sendable, Equatable {
  /// The unit roundoff of what an operation stores: 2⁻²⁴ for float32.
  let roundoff: Double
  /// The unit roundoff of the sums inside a product of a matrix and a vector; 16-bit types
  /// accumulate in float32.
  let sumRoundoff: Double
  /// The unit roundoff that the operands of such products are rounded with; 0 where they are used
  /// as they are.
  let operandRoundoff: Double
  /// Whether a product is stored in a coarser type than it is summed in, as in 16 bits, so that it
  /// matters in how many parts it is stored.
  var storesCoarser: Bool { roundoff > sumRoundoff }
  /// Whether the operands of a product that are subnormal may be taken for zeros, as processors'
  /// instructions for bfloat16 do.
  let flushesOperands: Bool
  /// How accurate sigmoid and tanh are.
  let activations: ActivationAccuracy
  let smallestNormal: Double
  let smallestSubnormal: Double
  /// The factor by which errors are made larger than they are, so that they stand out from the
  /// rounding of the doubles that the replicas are computed in. What the replicas differ by is
  /// divided by it in the end. It is 1 but for float64.
  package let inflation: Double
  /// A sum of this size may have overflowed on the way: an eighth of the largest number.
  let overflow: Double

  /// - Parameter roundsOperands: whether the operands of products are rounded to `arithmetic`
  ///   too, as they are where a module computes in 16 bits but its parameters and inputs were not
  ///   of that type already. With TF32 they always are.
  package init(
    _ arithmetic: Arithmetic, roundsOperands: Bool = false,
    activations: ActivationAccuracy = .relative
  ) {
    self.activations = activations
    roundoff =
      switch arithmetic {
      case .tf32: Arithmetic.float32.unitRoundoff
      default: arithmetic.unitRoundoff
      }
    sumRoundoff = min(roundoff, Arithmetic.float32.unitRoundoff)
    operandRoundoff = arithmetic == .tf32 || roundsOperands ? arithmetic.unitRoundoff : 0
    flushesOperands = arithmetic == .bfloat16
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

  /// The standard deviation of the error of an addition or a multiplication whose result is `y`:
  /// √(⅓u²y² + floor²), with the smallest subnormal number for the floor.
  package func rounding(_ y: Double) -> Double {
    deviation((1.0 / 3).squareRoot() * roundoff * y, smallestSubnormal)
  }

  /// The same of a + b. The sum is rounded to the nearest number, and a and b are numbers too, so
  /// that the error is no larger than the smaller of the two. Of c' = f c + i g with a closed
  /// input gate, for example, there is none but i g itself, which c swallows.
  func sum(_ a: Double, _ b: Double) -> Double {
    let smaller = min(abs(a), abs(b))
    guard smaller > 0 else { return 0 }
    return min(rounding(a + b), smaller * inflation)
  }

  /// The same of a · b; 0 where one of them is 0, or is rounded to 1.
  func product(_ a: Double, _ b: Double) -> Double {
    a == 0 || b == 0 || isOne(a) || isOne(b) ? 0 : rounding(a * b)
  }

  /// The same of a gate times a tanh, σ(x) · tanh(y), which our engine computes in one division. So
  /// it is exact only where both are rounded to 1.
  func gatedProduct(_ a: Double, _ b: Double) -> Double {
    a == 0 || b == 0 || isOne(a) && isOne(b) ? 0 : rounding(a * b)
  }

  /// Whether a number is so near to 1 or −1 that it is rounded to that.
  func isOne(_ x: Double) -> Bool { abs(1 - abs(x)) <= roundoff / 4 }

  /// The same of a function of a library, such as the exponential, whose result is `y`: libraries
  /// err by up to some units in the last place, so the variance is taken as eight times that of
  /// one rounding. Where small results flush to zero, the floor is the smallest normal number.
  func function(_ y: Double, flushes: Bool) -> Double {
    deviation(
      (8.0 / 3).squareRoot() * roundoff * y.binade, flushes ? smallestNormal : smallestSubnormal)
  }

  /// The same of tanh x, whose result is `y`. Where it saturates, it errs by no more than what it
  /// is short of 1, or hardly more: libraries return 1 there.
  ///
  /// An absolute one errs as if it were computed as 2σ(2x) − 1.
  func tanh(_ x: Double, _ y: Double) -> Double {
    if activations == .absolute { return 2 * absoluteSigmoid }
    let own = function(y, flushes: false)
    guard abs(y) > 0.99 else { return own }
    return min(own, saturated(2 / (1 + .exp(2 * abs(x)))))
  }

  /// The same of a sigmoid of x, whose result is `y`. It is made from an exponential that may
  /// flush to zero. Where it saturates at 1, it errs by no more than what it is short of that.
  func sigmoid(_ x: Double, _ y: Double) -> Double {
    if activations == .absolute { return absoluteSigmoid }
    let own = function(y, flushes: true)
    guard y > 0.99 else { return own }
    return min(own, saturated(1 / (1 + .exp(x))))
  }

  /// The same of a function that saturates at 1, of which its result is short by `rest`. Most
  /// libraries return 1 where that is nearer than any other number, and some the number below it,
  /// which is within 8σ of a sixth of a unit roundoff.
  private func saturated(_ rest: Double) -> Double {
    deviation(max(rest, roundoff / 6), smallestSubnormal)
  }

  /// The same of a sigmoid that is absolutely accurate: that of errors which are uniform within
  /// 2.5 units roundoff of 1. ONNX Runtime's errs by up to 2.8, 1.7·10⁻⁷.
  private var absoluteSigmoid: Double {
    deviation(2.5 / 3.0.squareRoot() * roundoff, smallestNormal)
  }

  /// Whether a finite number is one of the arithmetic's, its range apart.
  func isRepresentable(_ y: Double) -> Bool {
    let last = y.binade * 2 * roundoff
    return y == 0 || (y / last).rounded() == y / last
  }

  /// The same of a product of two vectors, the terms of which are summed in an order that is not
  /// known.
  ///
  /// The variance of a sum's error follows from the sum of its squared partial sums. Two figures
  /// are known for that, and the larger is taken: the expectation over random orders, and the
  /// figure for the terms as they stand, which is larger where they cancel in a structured way.
  /// Of equal terms the errors are equal too, and add up. Each term can underflow too, unless it
  /// is zero.
  func product(_ sum: ProductSum) -> Double {
    guard !sum.isOfZeros else { return 0 }
    let inRandomOrder = sum.count / 6 * sum.squares + sum.count / 3 * sum.value * sum.value
    let partialSums = max(
      inRandomOrder, sum.squaredPartialSums, sum.equalTerms * sum.equalTerms)
    let summing = sumRoundoff * (partialSums / 3).squareRoot()
    let operands = operandRoundoff * (2.0 / 3 * sum.squares).squareRoot()
    let stored = sum.storedBefore == 0 ? sum.value : length(sum.value, sum.storedBefore)
    let storing = roundoff * (1.0 / 3).squareRoot() * stored
    return deviation(
      length(length(summing, sum.flushed), length(operands, storing)),
      sum.count.squareRoot() * smallestSubnormal)
  }

  /// The error with its floor, inflated; 0 where the result is not finite and there is nothing to
  /// round. Nothing is squared that could underflow, so that the errors of the smallest doubles
  /// do not vanish.
  private func deviation(_ own: Double, _ floor: Double) -> Double {
    own.isFinite ? length(own, floor) * inflation : 0
  }

  /// √(a² + b²), by the slower way only where a square would overflow or underflow.
  private func length(_ a: Double, _ b: Double) -> Double {
    let squares = a * a + b * b
    return squares > 0x1p-900 && squares < .infinity ? squares.squareRoot() : .hypot(a, b)
  }
}

extension RoundingModel {
  /// Whether a product of two vectors without errors has none itself: all sums that can occur on
  /// the way are multiples of one power of two, and none is so large that it would be rounded.
  ///
  /// - Parameter granule: a power of two of which each term is a multiple.
  func isExact(_ sum: ProductSum, granule: Double) -> Bool {
    sum.flushed == 0 && sum.storedBefore == 0
      && sum.magnitudes * sumRoundoff <= granule && isRepresentable(sum.value)
  }
}

/// The sum Σpₖ of a product's terms, and what the size of its rounding error depends on.
struct ProductSum {
  /// How many terms there are, the bias among them.
  var count = 0.0
  /// Σpₖ
  var value = 0.0
  /// Σ|pₖ|
  var magnitudes = 0.0
  /// Σpₖ²
  var squares = 0.0
  /// Σsₖ², with sₖ = p₁ + … + pₖ
  var squaredPartialSums = 0.0
  /// √Σy², of the intermediate results y that a 16-bit type rounds beside the sum; 0 in others.
  var storedBefore = 0.0
  /// Σ|pₖ| of the terms, and of the sum itself, that are lost where subnormal numbers are taken
  /// for zeros.
  var flushed = 0.0
  /// √Σ(m·s)², over the runs of m equal terms, with the mean magnitude s of the partial sums
  /// before and behind the run. Adding the same number again and again makes the same error each
  /// time while the sum is of one order of magnitude, so that the errors of a run add up.
  var equalTerms = 0.0

  /// Whether all terms are zero, so that nothing is rounded.
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
