/// A vector as it is without rounding errors, and as it is in each of sixteen replicas.
struct NoisyVector: NumberVector {
  /// The numbers without errors.
  var values: [Double]
  /// What each number is in the replicas; nil where all replicas have the numbers themselves, as
  /// they have an input.
  var replicas: [Replicas]?
  /// The smallest σ that each number is given, whatever the replicas say; nil for 0.
  var least: [Double]?

  init(_ values: [Double], replicas: [Replicas]?, least: [Double]? = nil) {
    self.values = values
    self.replicas = replicas
    self.least = least
  }

  init(count: Int, numbers: (Int) -> NoisyNumber) {
    var (values, replicas, least) = ([Double](), [Replicas](), [Double]())
    values.reserveCapacity(count)
    replicas.reserveCapacity(count)
    for unit in 0..<count {
      let number = numbers(unit)
      values.append(number.value)
      replicas.append(number.replicas)
      least.append(number.least)
    }
    self.init(values, replicas: replicas, least: least)
  }

  init(_ values: [Double]) { self.init(values, replicas: nil) }

  init(joining parts: [NoisyVector]) {
    let replicas = parts.flatMap { part in
      part.replicas ?? part.values.map { Replicas(repeating: $0) }
    }
    self.init(
      parts.flatMap(\.values),
      replicas: parts.allSatisfy { $0.replicas == nil } ? nil : replicas,
      least: parts.flatMap { part in part.least ?? part.values.map { _ in 0 } })
  }

  subscript(unit: Int) -> NoisyNumber {
    NoisyNumber(
      value: values[unit], replicas: replicas?[unit] ?? Replicas(repeating: values[unit]),
      least: least?[unit] ?? 0)
  }
}

/// One number of a `NoisyVector`.
///
/// The replicas stand first: they are aligned to 128 bytes, and behind a single number they would
/// leave a gap of as many, which every copy would carry.
struct NoisyNumber {
  var replicas: Replicas
  var value: Double
  /// The smallest σ that the number is given, whatever the replicas say.
  var least = 0.0

  /// Whether the number is the same in all replicas, and so has no error.
  var isExact: Bool { replicas == Replicas(repeating: value) && least == 0 }

  init(value: Double, replicas: Replicas, least: Double = 0) {
    (self.value, self.replicas, self.least) = (value, replicas, least)
  }
}
