import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityJudging

@Suite struct RoundingModelTests {
  private func sum(_ terms: [Double]) -> ProductSum {
    var sum = ProductSum()
    for term in terms { sum.add(term) }
    return sum
  }

  @Test func oneRoundingIsUniformWithinAUnitRoundoff() {
    let model = RoundingModel(.float32)
    #expect(abs(model.rounding(3) / (3 * 0x1p-24 / 3.0.squareRoot()) - 1) < 1e-12)
    #expect(model.rounding(0) == 0x1p-149)
    #expect(model.rounding(.infinity) == 0 && model.rounding(.nan) == 0)
    #expect(model.sigmoid(0) > model.tanh(0))
  }

  /// Σp = 3, Σp² = 3, Σs² = 1 + 4 + 9, so that the order of the terms decides.
  @Test func aProductIsItsFormula() {
    let model = RoundingModel(.float32)
    let u = 0x1p-24
    let expected = (u * u / 3 * 14 + u * u / 3 * 9).squareRoot()
    #expect(abs(model.product(sum([1, 1, 1])) / expected - 1) < 1e-12)
    // Terms that cancel: Σs² = 1 + 0, below n/6·Σp² + n/3·a² = 2/3.
    let cancelling = model.product(sum([1, -1]))
    #expect(abs(cancelling / (u * u / 3 * 1).squareRoot() - 1) < 1e-12)
  }

  @Test func sixteenBitsAreStoredCoarselyAndSummedFinely() {
    let model = RoundingModel(.bfloat16)
    #expect(model.unit == 0x1p-8 && model.sumUnit == 0x1p-24 && model.operandUnit == 0)
    #expect(RoundingModel(.tf32).operandUnit == 0x1p-11)
    #expect(RoundingModel(.tf32).unit == 0x1p-24)
  }
}

@Suite struct NoiseDrawsTests {
  @Test func drawsHaveMeanZeroAndVarianceOne() {
    let draws = NoiseDraws(layer: 1, direction: 0, sequence: 2, group: 0, units: 50)
    var (sum, squares, count) = (0.0, 0.0, 0.0)
    for unit in 0..<50 {
      for step in 0..<40 {
        let draw = draws.draw(.gate, unit: unit, step: step)
        sum += draw.sum()
        squares += (draw * draw).sum()
        count += 16
      }
    }
    #expect(abs(sum / count) < 0.05)
    #expect(abs(squares / count - 1) < 0.05)
  }

  /// Half of each is the same at every step, and all else is different everywhere.
  @Test func halfOfADrawIsFrozen() {
    let draws = NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 400)
    var (frozen, other) = (0.0, 0.0)
    for unit in 0..<399 {
      let first = draws.draw(.gate, unit: unit, step: 0)
      frozen += (first * draws.draw(.gate, unit: unit, step: 1)).sum()
      other += (first * draws.draw(.gate, unit: unit + 1, step: 0)).sum()
      other += (first * draws.draw(.hidden, unit: unit, step: 0)).sum()
    }
    #expect(abs(frozen / (399 * 16) - 0.5) < 0.05)
    #expect(abs(other / (2 * 399 * 16)) < 0.05)
    let group = NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 1, units: 1)
    #expect(group.draw(.gate, unit: 0, step: 0) != draws.draw(.gate, unit: 0, step: 0))
  }
}

/// Equal draws in two places would make independent errors look like one.
@Suite struct NoiseDrawsPlaceTests {
  private func first(module: Int = 0, layer: Int = 0, sequence: Int = 0, group: Int = 0) -> Replicas
  {
    NoiseDraws(
      module: module, layer: layer, direction: 0, sequence: sequence, group: group, units: 1
    ).draw(.gate, unit: 0, step: 0)
  }

  @Test func everyPlaceHasDrawsOfItsOwn() {
    var seen: Set<Replicas> = []
    var count = 0
    for module in [0, 1, 2, 15, 16, 254, 255] {
      for layer in [0, 1, 15, 16, 17, 255, 256, 257, 4095] {
        for group in [0, 1, 2, 15, 16, 63] {
          seen.insert(first(module: module, layer: layer, group: group))
          count += 1
        }
      }
    }
    #expect(seen.count == count)
  }
}

@Suite struct ReplicaSpreadTests {
  private func spread(_ replicas: [Replicas]) -> ReplicaSpread {
    var spread = ReplicaSpread()
    spread.add(NoisyVector(replicas.map { _ in 0 }, replicas: replicas))
    return spread
  }

  @Test func countsElementsThatErrAlikeAsOne() {
    let draws = NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 2000)
    let independent = (0..<2000).map { draws.draw(.gate, unit: $0, step: 0) }
    #expect(spread(independent).independentCount > 500)
    let alike = Array(repeating: draws.draw(.gate, unit: 0, step: 0), count: 2000)
    #expect(spread(alike).independentCount < 8)
    // Of another size each, and still one and the same error.
    let scaled = (1...2000).map { alike[0] * Double($0) * 1e-200 }
    #expect(spread(scaled).independentCount < 8)
    #expect(spread([]).independentCount == 1)
  }

  @Test func smallNumbersHaveARootMeanSquareToo() {
    #expect(Replicas(repeating: 3).rootMeanSquare == 3)
    #expect(Replicas(repeating: -1e-200).rootMeanSquare == 1e-200)
    #expect(Replicas.zero.rootMeanSquare == 0)
    #expect(Replicas(repeating: .infinity).rootMeanSquare == .infinity)
  }
}

@Suite struct NoisyCellTests {
  /// Rows of equal weights make the same sums and so the same errors.
  @Test func equalRowsErrAlike() {
    let weights = Tensor([0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.2, 0.1, 0.3], shape: [3, 3])
    let bias = Tensor([0.5, 0.7, 0.5], shape: [3])
    let noise = StepNoise(
      model: RoundingModel(.float32),
      draws: NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 3), step: 0)
    let product = NoisyMatrix(ScanMatrix(weights, bias: bias))
      .product(with: NoisyVector([1, 2, 3]), noise, .hiddenProduct)
    func errors(_ row: Int) -> [Bool] {
      let error = product[row].replicas - product[row].value
      return error.indices.map { error[$0] > 0 }
    }
    #expect(errors(0) == errors(1) && errors(0) != errors(2))
  }

  /// Off, but so near the edge that a float's error can switch it on.
  @Test func anOffReLUNearItsEdgeHasASigma() {
    let noise = StepNoise(
      model: RoundingModel(.float32),
      draws: NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 1), step: 0)
    func least(_ value: Double) -> Double {
      var replicas = Replicas(repeating: value)
      for replica in replicas.indices { replicas[replica] += replica % 2 == 0 ? 1 : -1 }
      return noise.relu(NoisyNumber(value: value, replicas: replicas)).least
    }
    #expect(least(-4) == 0.5)  // 8σ reach to 4, an eighth of which is σ
    #expect(least(-8) == 0 && least(-20) == 0 && least(3) == 0)
  }
}

@Suite struct SilentModuleTests {
  /// What is exactly zero errs by nothing, and nothing grows out of it.
  @Test func zerosHaveNoError() {
    let weights = Tensor([1e9, -1e9], shape: [2, 1])
    let noise = StepNoise(
      model: RoundingModel(.float32),
      draws: NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 2), step: 0)
    let product = NoisyMatrix(ScanMatrix(weights, bias: nil))
      .product(with: NoisyVector([0]), noise, .hiddenProduct)
    let zero = NoisyNumber(value: 0, replicas: .zero)
    for number in [
      product[0], noise.sum(zero, zero, .gateSum, 0), noise.tanh(zero, .gate, 0),
      noise.product(zero, NoisyNumber(value: 3, replicas: Replicas(repeating: 3)), .kept, 0),
    ] {
      #expect(number.replicas == .zero)
    }
    // A term that underflows is another matter.
    let tiny = NoisyMatrix(ScanMatrix(weights, bias: nil))
      .product(with: NoisyVector([1e-300]), noise, .hiddenProduct)
    #expect(tiny[0].replicas.rootMeanSquare >= 0x1p-149 / 4)
  }
}

@Suite struct NoiseEstimateTests {
  private func estimate(
    _ random: RandomModule, _ arithmetic: Arithmetic = .float32, replicas: Int = 16
  ) -> NoiseEstimate {
    NoiseEstimate(random.call, arithmetic, replicas: replicas)
  }

  /// Every element has a σ of the size of a float's roundings, padding none.
  @Test(arguments: 0..<60 as Range<UInt64>)
  func coversEveryElementAndNoPadding(seed: UInt64) throws {
    let random = try RandomModule(seed: seed)
    let oracle = random.call.oracleOutputs
    let noise = estimate(random)
    #expect(noise.agreeingSteps == nil)
    for (name, tensor) in oracle.named {
      let limits = try #require(noise.tensors[name])
      #expect(limits.sigma.count == tensor.count)
      for offset in 0..<tensor.count {
        let (sigma, value) = (limits.sigma[offset], tensor.double(at: offset))
        // A ReLU that is off is off in every replica, unless it is on the edge.
        guard value != 0 else { continue }
        #expect(sigma > abs(value) * 0x1p-27 && sigma < 1e-4, "\(name) \(offset)")
      }
    }
    if let packing = random.input.packing, let output = noise.tensors["output"] {
      let contract = LayoutContract(
        random.configuration, layout: random.input.outputLayout, packing: packing)
      let padding = try #require(contract.identities.last)
      #expect(padding.outputOffsets.allSatisfy { output.sigma[$0] == 0 && output.isJudged[$0] })
    }
  }

  /// Without its noise, a noisy cell is the oracle.
  @Test(arguments: 0..<60 as Range<UInt64>)
  func errsAboutTheOracle(seed: UInt64) throws {
    let random = try RandomModule(seed: seed)
    let oracle = random.call.oracleOutputs
    let model = RoundingModel(.float32)
    let cells = (0..<random.configuration.numLayers).map { layer in
      random.configuration.directions.map { direction in
        ScanCell<StepNoise>(
          random.configuration, random.stateDict, layer: layer, direction, ScanVariant()
        ) { NoisyMatrix($0) }
      }
    }
    let exact = oracle.output ?? oracle.hN
    let features = random.configuration.outputFeatures
    for sequence in 0..<random.input.layout.batch {
      let scan = NoiseScan(
        configuration: random.configuration, cells: cells, input: random.input,
        sequence: sequence, group: 0, model: model
      ).run()
      #expect(scan.values.output.count == random.input.length(of: sequence))
      for (step, values) in scan.values.output.enumerated() {
        let row = random.input.outputLayout.row(sequence: sequence, step: step)
        for (unit, value) in values.enumerated() {
          let expected = exact.double(at: row * features + unit)
          #expect(abs(value - expected) <= 1e-12 * max(1, abs(expected)))
        }
      }
    }
  }

  @Test func isTheSameInEveryRun() throws {
    let random = try RandomModule(seed: 11)
    #expect(estimate(random).tensors == estimate(random).tensors)
    #expect(estimate(random).tensors != estimate(random, replicas: 32).tensors)
  }

  /// More replicas tell the same σ more sharply.
  @Test func moreReplicasAgreeWithFewer() throws {
    let random = try RandomModule(seed: 5)
    let few = try #require(estimate(random).tensors["h_n"]).sigma
    let many = try #require(estimate(random, replicas: 512).tensors["h_n"]).sigma
    for (a, b) in zip(few, many) where b > 0 { #expect((0.4...1.8).contains(a / b)) }
  }

  /// Doubles err as floats do, 2²⁹ times less.
  @Test func doublesHaveThirtyBitsLessNoise() throws {
    let random = try RandomModule(seed: 3)
    let (float, double) = (estimate(random), estimate(random, .float64))
    for (a, b) in zip(
      try #require(float.tensors["output"]).sigma, try #require(double.tensors["output"]).sigma)
    where a > 0 {
      #expect((0.2...5).contains(a / b / 0x1p29))
    }
  }
}

/// What can't be judged is not called wrong, and what can is not let off.
@Suite struct InconclusiveTests {
  /// A module whose rounding errors grow by orders of magnitude.
  private func chaotic(steps: Int, scale: Double) throws -> ParityCase {
    let hidden = 24
    var generator = SplitMix64(seed: 9)
    func tensor(_ axes: [Int], _ scale: Double) -> Tensor {
      let shape = Shape(axes)
      return Tensor(
        (0..<shape.elementCount).map { _ in
          Float(Double.random(in: -scale...scale, using: &generator))
        }, shape: shape)
    }
    var tensors = [
      "inputs/input": tensor([steps, 2, 3], 1),
      "state_dict/weight_ih_l0": tensor([hidden, 3], scale),
      "state_dict/weight_hh_l0": tensor([hidden, hidden], scale),
      "state_dict/bias_ih_l0": tensor([hidden], scale),
      "state_dict/bias_hh_l0": tensor([hidden], scale),
    ]
    tensors["outputs/output"] = tensor([steps, 2, hidden], 0)
    tensors["outputs/h_n"] = tensor([1, 2, hidden], 0)
    let manifest = try Manifest(
      parsing: #"{"format": "pytorch-parity/1", "module": "RNN"}"#)
    let empty = try ParityCase(CaseLocation(name: "chaos", path: "chaos"), manifest, tensors)
    // What our engine gives stands in for PyTorch: only rounding lies between it
    // and the oracle.
    let call = try #require(empty.call)
    return empty.with(
      reference: Judge.engine(call).outputs(for: call.input))
  }

  @Test func amplifiedRoundingIsInconclusive() throws {
    let result = Judge().judge(try chaotic(steps: 60, scale: 3))
    #expect(result.status == .inconclusive)
    let steps = try #require(result.agreeingSteps)
    #expect(steps > 2 && steps < 50)
    #expect(result.remarks.first?.contains("after \(steps) steps") == true)
    #expect(RunStatus(of: [.inconclusive]) == .failed)
  }

  @Test func aBugBeforeTheLossIsStillSeen() throws {
    let parityCase = try chaotic(steps: 60, scale: 3)
    let outputs = parityCase.reference
    let changed = outputs.output?.changing { $0[0] += 0.01 }
    let result = Judge().judge(
      parityCase.with(reference: RecurrentOutput(output: changed, hN: outputs.hN, cN: nil)))
    #expect(result.status == .failed)
  }

  @Test func tameModulesAreConclusive() throws {
    #expect(Judge().judge(try chaotic(steps: 60, scale: 0.2)).status == .passed)
  }

  /// Infinity saturates, and loses nothing.
  @Test func infinityIsNotLost() throws {
    for name in ["lstm-special-values", "gru-special-values", "rnn-relu-special-values"] {
      let call = try #require(FixtureSuite.named(name).call)
      let noise = NoiseEstimate(call, call.arithmetic)
      #expect(noise.agreeingSteps == nil, "\(name)")
    }
  }
}

@Suite struct NoisyVectorTests {
  /// A part without errors of its own keeps its place beside one with.
  @Test func joinsPartsWithAndWithoutReplicas() {
    let exact = NoisyVector([1, 2])
    let noisy = NoisyVector([3], replicas: [Replicas(repeating: 4)])
    let joined = NoisyVector(joining: [exact, noisy])
    #expect(joined.values == [1, 2, 3])
    #expect(joined.replicas == [1, 2, 4].map { Replicas(repeating: $0) })
    #expect(NoisyVector(joining: [exact, exact]).replicas == nil)
  }
}
