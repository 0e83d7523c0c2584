/// Tells as how many independent elements the rounding errors of many elements behave: fewer than
/// there are where errors move together, as those of units with the same weights.
///
/// It collects, for each replica, the mean square of its errors, each in units of its σ. Over n
/// independent elements that mean square is 1 with variance 2/n (a χ² of n degrees of freedom,
/// over n). Errors that move together make it scatter more, as fewer elements would: so the
/// variance over the sixteen replicas tells n.
struct ReplicaSpread: Sendable {
  private var sums = Replicas.zero
  private var count = 0.0

  /// Adds the errors of a vector's elements.
  mutating func add(_ vector: NoisyVector) {
    guard let replicas = vector.replicas else { return }
    for (value, replicas) in zip(vector.values, replicas) where value.isFinite {
      let squares = (replicas - value) * (replicas - value)
      let mean = squares.sum() / Double(Replicas.scalarCount)
      guard mean > 0, mean.isFinite else { continue }
      sums += squares / mean
      count += 1
    }
  }

  mutating func add(_ other: ReplicaSpread) {
    sums += other.sums
    count += other.count
  }

  /// The number of independent elements that the errors behave like: at least 1, and at most as
  /// many as were added.
  var independentCount: Double {
    guard count > 1 else { return 1 }
    let means = sums / count
    let squares = (means - 1) * (means - 1)
    let variance = squares.sum() / Double(Replicas.scalarCount)
    return min(count, max(1, variance > 0 ? 2 / variance : count))
  }
}
