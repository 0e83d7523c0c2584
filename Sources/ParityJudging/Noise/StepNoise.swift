import RealModule
import TensorComparison
import TensorCore

/// The operations of one step, each with its error; with none where the operands are
/// zeros, since the smallest error of a silent unit grows as any other.
struct StepNoise: StepArithmetic {
  let model: RoundingModel
  let draws: NoiseDraws
  let step: Int
  let kernels = NoiseKernels.current

  func at(step: Int) -> StepNoise { StepNoise(model: model, draws: draws, step: step) }

  func product(
    _ matrix: NoisyMatrix, _ x: NoisyVector, _ operation: NoiseDraws.Operation
  ) -> NoisyVector {
    matrix.product(with: x, self, operation)
  }

  func sum(
    _ a: NoisyNumber, _ b: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value = a.value + b.value
    let isExact = a.value == 0 && b.value == 0
    return perturbed(
      value, a.replicas + b.replicas, isExact ? 0 : model.rounding(value), operation, unit)
  }

  func product(
    _ a: NoisyNumber, _ b: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value = a.value * b.value
    let isExact = a.value == 0 || b.value == 0
    return perturbed(
      value, a.replicas * b.replicas, isExact ? 0 : model.rounding(value), operation, unit)
  }

  /// 1 − a
  func complement(_ a: NoisyNumber, _ unit: Int) -> NoisyNumber {
    let value = 1 - a.value
    return perturbed(value, 1 - a.replicas, model.rounding(value), .complement, unit)
  }

  func sigmoid(
    _ a: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    func sigmoid(_ x: Double) -> Double { 1 / (1 + .exp(-x)) }
    let value = sigmoid(a.value)
    return perturbed(
      value, kernels.sigmoid(a.replicas), model.sigmoid(value), operation, unit)
  }

  func tanh(_ a: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int) -> NoisyNumber {
    let value = Double.tanh(a.value)
    return perturbed(
      value, kernels.tanh(a.replicas), a.value == 0 ? 0 : model.tanh(value), operation, unit)
  }

  /// Exact. A unit that is off in all replicas, but by less than the error that an
  /// element may have, can be on in the reference: then it has a σ all the same.
  func relu(_ a: NoisyNumber) -> NoisyNumber {
    func relu(_ x: Double) -> Double { x < 0 ? 0 : x }
    var number = NoisyNumber(value: relu(a.value), replicas: map(a.replicas, relu))
    if a.value < 0 {
      let reach = a.value / NoiseLimits.standardZ + (a.replicas - a.value).rootMeanSquare
      number.least = max(0, reach) / model.inflation
    }
    return number
  }

  func hardSigmoid(
    _ a: NoisyNumber, slope: Double, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value = Double.hardSigmoid(a.value, slope: slope)
    return perturbed(
      value, map(a.replicas) { .hardSigmoid($0, slope: slope) }, model.rounding(value), operation,
      unit)
  }

  func tanhFromSigmoid(
    _ a: NoisyNumber, _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    let value = Double.tanhFromSigmoid(a.value)
    return perturbed(
      value, kernels.tanh(a.replicas), 2 * model.sigmoid((value + 1) / 2), operation, unit)
  }

  func perturbed(
    _ value: Double, _ replicas: Replicas, _ deviation: Double,
    _ operation: NoiseDraws.Operation, _ unit: Int
  ) -> NoisyNumber {
    var number = NoisyNumber(value: value, replicas: replicas)
    if deviation != 0 {
      draws.perturb(&number.replicas, by: deviation, operation, unit: unit, step: step, kernels)
    }
    return model.emulation?.result(number) ?? number
  }

  @inline(__always)
  private func map(_ replicas: Replicas, _ function: (Double) -> Double) -> Replicas {
    var mapped = replicas
    for replica in mapped.indices { mapped[replica] = function(mapped[replica]) }
    return mapped
  }
}
