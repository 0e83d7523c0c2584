import RealModule
import TensorComparison
import TensorCore

/// The operations in replicas: each adds to each replica a random error of the size that
/// `RoundingModel` says.
///
/// An operation on zeros is exact and adds none. That matters for units that are silent: even the
/// smallest error in one would be carried on and amplified like any other.
struct NoisyOperations: StepOperations {
  let model: RoundingModel
  let emulation: Emulation?
  let draws: NoiseDraws
  let step: Int
  let kernels = NoiseKernels.current

  static func twins(_ input: NoisyMatrix, _ hidden: NoisyMatrix) -> [Int]? {
    guard input.hasTwins, hidden.hasTwins else { return nil }
    return zip(input.biasTwins, hidden.biasTwins).map { [$0, $1] }.firstPlaces
  }

  func at(step: Int) -> NoisyOperations {
    NoisyOperations(model: model, emulation: emulation, draws: draws, step: step)
  }

  func product(
    _ matrix: NoisyMatrix, _ x: NoisyVector, _ operation: NoiseDraws.Operation
  ) -> NoisyVector {
    matrix.product(with: x, self, operation)
  }

  func sum(
    _ a: NoisyNumber, _ b: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let isExact = isExactSum(a, b)
    return sum(a, b, operation, unit, isExact ? 0 : model.sum(a.value, b.value))
  }

  func product(
    _ a: NoisyNumber, _ b: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    guard !isExactProduct(a, b) else { return product(a, b, operation, unit, 0) }
    let isGated = operation == .admitted || operation == .hidden
    return product(
      a, b, operation, unit,
      isGated ? model.gatedProduct(a.value, b.value) : model.product(a.value, b.value))
  }

  /// a + b with an error of a given size.
  private func sum(
    _ a: NoisyNumber, _ b: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int,
    _ deviation: Double
  ) -> NoisyNumber {
    var sum = perturbed(
      a.value + b.value, a.replicas + b.replicas, deviation, operation, unit)
    sum.least = a.least + b.least
    return sum
  }

  /// a · b with an error of a given size.
  private func product(
    _ a: NoisyNumber, _ b: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int,
    _ deviation: Double
  ) -> NoisyNumber {
    var product = perturbed(
      a.value * b.value, a.replicas * b.replicas, deviation, operation, unit)
    // Of most numbers it is 0, which is not to be multiplied with an infinity.
    if a.least > 0 { product.least += a.least * abs(b.value) }
    if b.least > 0 { product.least += b.least * abs(a.value) }
    return product
  }

  /// Whether a + b has no error: neither number has one, and the sum is one of the arithmetic.
  private func isExactSum(_ a: NoisyNumber, _ b: NoisyNumber) -> Bool {
    let sum = a.value + b.value
    guard model.isRepresentable(sum), a.isExact, b.isExact else { return false }
    // What the sum of the doubles has lost, by Knuth's algorithm (TAOCP 2, section 4.2.2).
    let other = sum - a.value
    return (a.value - (sum - other)) + (b.value - other) == 0
  }

  /// Whether a · b has no error: neither number has one, and the product is one of the
  /// arithmetic.
  private func isExactProduct(_ a: NoisyNumber, _ b: NoisyNumber) -> Bool {
    let product = a.value * b.value
    return model.isRepresentable(product) && a.isExact && b.isExact
      && (-product).addingProduct(a.value, b.value) == 0
  }

  /// 1 − a
  func complement(_ a: NoisyNumber, _ unit: Int) -> NoisyNumber {
    perturbed(
      1 - a.value, 1 - a.replicas, model.sum(1, -a.value), .complement, unit)
  }

  /// Libraries compute it as (1 − z) ⊙ n + z ⊙ h, or as n + z ⊙ (h − n), which PyTorch does.
  /// Each operation errs as in the form in which it errs more.
  func interpolated(
    from n: NoisyNumber, to h: NoisyNumber, by z: NoisyNumber, _ unit: Int
  ) -> NoisyNumber {
    let difference = h.value - n.value
    let complement = complement(z, unit)
    let renewed = product(
      complement, n, .renewed, unit, model.product(complement.value, n.value))
    let kept = product(
      z, h, .kept, unit,
      max(
        model.product(z.value, h.value),
        .hypot(model.product(z.value, difference), z.value * model.sum(h.value, -n.value))))
    return sum(
      renewed, kept, .hidden, unit,
      max(
        model.sum(renewed.value, kept.value), model.sum(z.value * difference, n.value)))
  }

  func sigmoid(
    _ a: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    func sigmoid(_ x: Double) -> Double { 1 / (1 + .exp(-x)) }
    let value = sigmoid(a.value)
    return perturbed(
      value, kernels.sigmoid(a.replicas), model.sigmoid(a.value, value), operation, unit)
  }

  func tanh(_ a: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int) -> NoisyNumber {
    let value = Double.tanh(a.value)
    return perturbed(
      value, kernels.tanh(a.replicas), a.value == 0 ? 0 : model.tanh(a.value, value), operation,
      unit)
  }

  /// Exact, with one precaution. A unit whose sum is negative can give 0 in all replicas and yet
  /// be above 0 in the reference, where the sum is off by no more than an element may be. So such
  /// a unit is given a σ, though its replicas do not differ.
  func relu(_ a: NoisyNumber) -> NoisyNumber {
    func relu(_ x: Double) -> Double { x < 0 ? 0 : x }
    var number = NoisyNumber(value: relu(a.value), replicas: a.replicas.mapping(relu))
    if a.value < 0 {
      let reach = a.value / NoiseLimits.standardZ + (a.replicas - a.value).rootMeanSquare
      number.least = max(0, reach) / model.inflation
    }
    return number
  }

  func applied(
    _ function: (Double) -> Double, to a: NoisyNumber, error: Double,
    _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value = function(a.value)
    return perturbed(
      value, a.replicas.mapping(function), max(model.rounding(value), error), operation, unit)
  }

  func clipped(_ a: NoisyNumber, at limit: Double) -> NoisyNumber {
    guard max(abs(a.value), a.replicas.max(), -a.replicas.min()) > limit else { return a }
    return NoisyNumber(
      value: a.value.clipped(at: limit), replicas: a.replicas.mapping { $0.clipped(at: limit) })
  }

  func mapped(_ x: NoisyVector, _ function: ([Double]) -> [Double]) -> NoisyVector {
    var mapped = NoisyVector(function(x.values))
    guard let replicas = x.replicas else { return mapped }
    var changed = replicas
    for replica in 0..<Replicas.scalarCount {
      for (unit, number) in function(replicas.map { $0[replica] }).enumerated() {
        changed[unit][replica] = number
      }
    }
    mapped.replicas = changed
    return mapped
  }

  func mixed(
    _ a: NoisyNumber, _ share: Double, _ b: NoisyNumber, _ operation: NoiseDraws.Operation,
    _ unit: Int
  ) -> NoisyNumber {
    let value = share * a.value + (1 - share) * b.value
    return perturbed(
      value, share * a.replicas + (1 - share) * b.replicas,
      .hypot(model.rounding(value), model.rounding(max(abs(a.value), abs(b.value)))), operation,
      unit)
  }

  func tanhFromSigmoid(
    _ a: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value = Double.tanhFromSigmoid(a.value)
    return perturbed(
      value, kernels.tanh(a.replicas), 2 * model.function((value + 1) / 2, flushes: true),
      operation, unit)
  }

  /// A number with the operation's error added to its replicas.
  func perturbed(
    _ value: Double, _ replicas: Replicas, _ deviation: Double,
    _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    var number = NoisyNumber(value: value, replicas: replicas)
    if deviation != 0 {
      draws.perturb(&number.replicas, by: deviation, operation, unit: unit, step: step, kernels)
    }
    return emulation?.result(number) ?? number
  }
}

// MARK: - What a softmax has beside the operations of a step

extension NoisyOperations {
  func difference(
    _ a: NoisyNumber, _ b: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value = a.value - b.value
    let isExact = value == 0 && a.replicas == b.replicas
    return perturbed(
      value, a.replicas - b.replicas, isExact ? 0 : model.rounding(value), operation, unit)
  }

  func quotient(
    _ a: NoisyNumber, _ b: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value = a.value / b.value
    return perturbed(
      value, a.replicas / b.replicas, a.value == 0 ? 0 : model.rounding(value), operation, unit)
  }

  /// The error is that of libraries' functions, not of one rounding.
  func exponential(
    _ a: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value: Double = .exp(a.value)
    return perturbed(
      value, a.replicas.mapping { .exp($0) },
      a.value == 0 ? 0 : model.function(value, flushes: true),
      operation, unit)
  }

  /// The error is that of libraries' functions, not of one rounding.
  func logarithm(
    _ a: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value: Double = .log(a.value)
    return perturbed(
      value, a.replicas.mapping { .log($0) },
      value == 0 ? 0 : model.function(value, flushes: false),
      operation, unit)
  }

  func half(_ a: NoisyNumber) -> NoisyNumber {
    NoisyNumber(value: a.value / 2, replicas: a.replicas / 2, least: a.least / 2)
  }

  func largest(_ numbers: [NoisyNumber]) -> Int? {
    numbers.indices.max { numbers[$0].value < numbers[$1].value }
  }
}
