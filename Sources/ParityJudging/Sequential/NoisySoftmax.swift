import RealModule

/// The operations that a softmax has beside those of a step.
extension StepNoise {
  func difference(
    _ a: NoisyNumber, _ b: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value = a.value - b.value
    let isExact = value == 0 && a.replicas == b.replicas
    return perturbed(
      value, a.replicas - b.replicas, isExact ? 0 : model.rounding(value), operation, unit)
  }

  /// With the error that libraries' functions have.
  func exponential(
    _ a: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value: Double = .exp(a.value)
    return perturbed(
      value, mapped(a.replicas) { .exp($0) }, a.value == 0 ? 0 : model.sigmoid(value), operation,
      unit)
  }

  func logarithm(
    _ a: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value: Double = .log(a.value)
    return perturbed(
      value, mapped(a.replicas) { .log($0) }, value == 0 ? 0 : model.tanh(value), operation, unit)
  }

  func quotient(
    _ a: NoisyNumber, _ b: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value = a.value / b.value
    return perturbed(
      value, a.replicas / b.replicas, a.value == 0 ? 0 : model.rounding(value), operation, unit)
  }

  /// Of the numbers on one line.
  func softmax(_ line: [NoisyNumber], isLogarithm: Bool) -> [NoisyNumber] {
    guard let largest = line.max(by: { $0.value < $1.value }) else { return [] }
    let differences = line.enumerated().map { difference($1, largest, .gateSum, $0) }
    let terms = differences.enumerated().map { exponential($1, .gate, $0) }
    var sum = terms[0]
    for (unit, term) in terms.enumerated().dropFirst() {
      sum = self.sum(sum, term, .cellSum, unit)
    }
    let logarithm = logarithm(sum, .cellActivation, 0)
    return line.indices.map { unit in
      isLogarithm
        ? difference(differences[unit], logarithm, .hidden, unit)
        : quotient(terms[unit], sum, .hidden, unit)
    }
  }

  private func mapped(_ replicas: Replicas, _ function: (Double) -> Double) -> Replicas {
    var mapped = replicas
    for replica in mapped.indices { mapped[replica] = function(mapped[replica]) }
    return mapped
  }
}
