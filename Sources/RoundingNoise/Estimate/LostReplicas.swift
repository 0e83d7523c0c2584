import RealModule
import RecurrentModel

/// Decides whether a state is lost: whether rounding has been amplified so much that its replicas
/// agree on nothing.
///
/// It is where the root mean square σ of h, or of tanh c, is above `NoiseEstimate.lostDeviation`.
/// Nothing bounds the h of a ReLU: there σ is taken relative to the state, or to the products that
/// it was made of where these are larger: two that cancel leave a small h with their rounding
/// errors, which are no chaos. Such a state is lost too where it comes near overflow.
struct LostReplicas {
  private let configuration: RecurrentConfiguration
  private let model: RoundingModel

  init(_ configuration: RecurrentConfiguration, _ model: RoundingModel) {
    self.configuration = configuration
    self.model = model
  }

  /// Whether nothing can be said any more of this state, and so of what follows from it.
  func holds(_ state: ScanCell<NoisyOperations>.State) -> Bool {
    let deviation = state.h.deviations(model).rootMeanSquare
    if configuration.module.recurrence == .rnn, configuration.nonlinearity == .relu {
      let own = state.h.values.filter(\.isFinite).rootMeanSquare
      let size = max(own, state.productSize ?? 0)
      return !(deviation * model.inflation <= NoiseEstimate.lostDeviation * size)
        && !(deviation <= model.smallestNormal) || own > model.overflow
    }
    if let c = state.c {
      let active = NoisyVector(
        c.values.map(Double.tanh),
        replicas: c.replicas?.map(NoiseKernels.current.tanh))
      if !(active.deviations(model).rootMeanSquare * model.inflation <= NoiseEstimate.lostDeviation)
      {
        return true
      }
    }
    return !(deviation * model.inflation <= NoiseEstimate.lostDeviation)
  }
}

extension [Double] {
  /// 0 of no numbers. It is right also where their squares would overflow or underflow.
  var rootMeanSquare: Double {
    guard !isEmpty else { return 0 }
    let squares = reduce(0) { $0 + $1 * $1 }
    if squares > 0x1p-900, squares < .infinity {
      return (squares / Double(count)).squareRoot()
    }
    let largest = reduce(0) { Swift.max($0, abs($1)) }
    guard largest > 0, largest.isFinite else { return largest }
    return largest
      * (reduce(0) { $0 + ($1 / largest) * ($1 / largest) } / Double(count)).squareRoot()
  }
}

extension NoisyVector {
  /// σ of each number: what the replicas say, but no less than `least`.
  func sigmas(_ model: RoundingModel) -> [Double] {
    let own = deviations(model)
    guard let least else { return own }
    return zip(own, least).map { max($0, $1) }
  }

  /// What the replicas say of each number's σ; 0 where the number is NaN or infinite, since
  /// neither can be off by a little.
  func deviations(_ model: RoundingModel) -> [Double] {
    guard let replicas else { return values.map { _ in 0 } }
    return zip(values, replicas).map { value, replicas in
      guard value.isFinite else { return 0 }
      return (replicas - value).rootMeanSquare / model.inflation
    }
  }
}
