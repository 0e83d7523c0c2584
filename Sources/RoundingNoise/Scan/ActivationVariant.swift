import RealModule

/// A function that some implementations have in the place of the sigmoid or of tanh: cheaper ones,
/// which are off by 10⁻² or so.
package enum ActivationVariant: Sendable, Equatable {
  /// slope · x + ½, cut off at 0 and 1.
  case hardSigmoid(slope: Double)
  /// x, cut off at −1 and 1.
  case hardTanh
  /// The sigmoid as straight pieces whose slopes are powers of 2: PLAN (Amin, Curtis and
  /// Hayes-Gill, 1997).
  case pieces
  /// The sigmoid with an exponential that is made by writing into a float's exponent
  /// (Schraudolph, 1999).
  ///
  /// - Parameter shift: what is subtracted from the integer, in units of 2⁻²³ of the exponent.
  case fastExponential(shift: Double)
  /// tanh x as x (27 + x²) / (27 + 9 x²), cut off at −1 and 1.
  case pade
  /// Values that are equally far from each other, from `-end` to `end`: the nearest of them, or
  /// what lies on the straight line between the two beside it.
  case table(Int, end: Double, interpolates: Bool)

  /// The error that a result has beside its rounding: `fastExponential` makes its bits in float32,
  /// where the last six of them are lost.
  var error: Double { if case .fastExponential = self { 0x1p-19 } else { 0 } }

  /// The function that stands in the place of the sigmoid: what is given for tanh stands there as
  /// ½ + ½ tanh(x/2).
  func sigmoid(_ x: Double) -> Double {
    switch self {
    case .hardSigmoid(let slope): Self.cut(slope * x + 0.5, from: 0, to: 1)
    case .hardTanh, .pade: 0.5 + 0.5 * tanh(x / 2)
    case .table(let count, let end, let interpolates):
      Self.tabulated(x, end, count, interpolates) { 1 / (1 + .exp(-$0)) }
    case .pieces: x < 0 ? 1 - Self.positivePieces(-x) : Self.positivePieces(x)
    case .fastExponential(let shift): 1 / (1 + Self.fastExponential(-x, shift))
    }
  }

  /// The function that stands in the place of tanh: what is given for the sigmoid stands there as
  /// 2σ(2x) − 1.
  func tanh(_ x: Double) -> Double {
    switch self {
    case .hardTanh: Self.cut(x, from: -1, to: 1)
    case .table(let count, let end, let interpolates):
      Self.tabulated(x, end, count, interpolates) { .tanh($0) }
    case .pade: Self.cut(x * (27 + x * x) / (27 + 9 * x * x), from: -1, to: 1)
    case .hardSigmoid, .pieces, .fastExponential: 2 * sigmoid(2 * x) - 1
    }
  }

  private static func cut(_ x: Double, from least: Double, to largest: Double) -> Double {
    x.isNaN ? x : min(largest, max(least, x))
  }

  private static func tabulated(
    _ x: Double, _ end: Double, _ count: Int, _ interpolates: Bool,
    _ function: (Double) -> Double
  ) -> Double {
    guard !x.isNaN else { return x }
    let distance = 2 * end / Double(count - 1)
    let place = (cut(x, from: -end, to: end) + end) / distance
    func value(_ place: Double) -> Double { function(place * distance - end) }
    guard interpolates else { return value(place.rounded(.toNearestOrEven)) }
    let below = min(place.rounded(.down), Double(count - 2))
    return value(below) + (place - below) * (value(below + 1) - value(below))
  }

  private static func positivePieces(_ x: Double) -> Double {
    if x < 1 { return 0.25 * x + 0.5 }
    if x < 2.375 { return 0.125 * x + 0.625 }
    return x < 5 ? 0.03125 * x + 0.84375 : x.isNaN ? x : 1
  }

  private static func fastExponential(_ x: Double, _ shift: Double) -> Double {
    let bits = 0x1p23 / .log(2) * x + 127 * 0x1p23 - shift
    guard bits > 0 else { return x.isNaN ? x : 0 }
    guard bits < 255 * 0x1p23 else { return .infinity }
    return Double(Float(bitPattern: UInt32(bits)))
  }
}

extension StepVariant.Rounding8 {
  /// A vector with its numbers rounded.
  package func rounded(_ x: [Double]) -> [Double] {
    switch self {
    case .symmetric:
      let scale = x.reduce(0) { max($0, abs($1)) } / 127
      return scale > 0 ? x.map { ($0 / scale).rounded(.toNearestOrEven) * scale } : x
    case .range:
      let (least, largest) = (x.reduce(0, min), x.reduce(0, max))
      let scale = (largest - least) / 127
      guard scale > 0 else { return x }
      let zero = (-least / scale).rounded(.toNearestOrEven)
      return x.map {
        (min(127, max(0, ($0 / scale).rounded(.toNearestOrEven) + zero)) - zero) * scale
      }
    }
  }
}
