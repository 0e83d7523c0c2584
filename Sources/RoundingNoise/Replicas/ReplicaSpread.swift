/// How far each replica is off over many elements, each in units of its σ.
///
/// Of n independent elements the mean square of a replica is 1 with variance 2/n,
/// as a χ² of n degrees of freedom over n; elements that err alike scatter it as
/// fewer would. So the scatter over the replicas tells as how many they count.
struct ReplicaSpread: Sendable {
  private var sums = Replicas.zero
  private var count = 0.0

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

  /// At least 1, and at most as many as there are.
  var independentCount: Double {
    guard count > 1 else { return 1 }
    let means = sums / count
    let squares = (means - 1) * (means - 1)
    let variance = squares.sum() / Double(Replicas.scalarCount)
    return min(count, max(1, variance > 0 ? 2 / variance : count))
  }
}
