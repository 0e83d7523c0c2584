/// A vector, and what it is in each of the replicas.
struct NoisyVector: NumberVector {
  var values: [Double]
  /// nil where all replicas have the values themselves.
  var replicas: [Replicas]?
  /// The least σ of each unit, whatever the replicas say; nil for 0.
  var least: [Double]?

  init(_ values: [Double], replicas: [Replicas]?, least: [Double]? = nil) {
    self.values = values
    self.replicas = replicas
    self.least = least
  }

  init(count: Int, numbers: (Int) -> NoisyNumber) {
    var builder = NoisyBuilder(count: count)
    for unit in 0..<count { builder.append(numbers(unit)) }
    self = builder.vector
  }

  init(_ values: [Double]) { self.init(values, replicas: nil) }

  init(joining parts: [NoisyVector]) {
    let replicas = parts.flatMap { part in
      part.replicas ?? part.values.map { Replicas(repeating: $0) }
    }
    self.init(
      parts.flatMap(\.values),
      replicas: parts.allSatisfy { $0.replicas == nil } ? nil : replicas)
  }

  subscript(unit: Int) -> NoisyNumber {
    NoisyNumber(
      value: values[unit], replicas: replicas?[unit] ?? Replicas(repeating: values[unit]))
  }
}

struct NoisyNumber {
  var value: Double
  var replicas: Replicas
  /// The least σ, whatever the replicas say.
  var least = 0.0
}

/// Collects the units of a vector.
private struct NoisyBuilder {
  private var values: [Double] = []
  private var replicas: [Replicas] = []
  private var least: [Double] = []

  init(count: Int) {
    values.reserveCapacity(count)
    replicas.reserveCapacity(count)
  }

  mutating func append(_ number: NoisyNumber) {
    values.append(number.value)
    replicas.append(number.replicas)
    least.append(number.least)
  }

  var vector: NoisyVector { NoisyVector(values, replicas: replicas, least: least) }
}
