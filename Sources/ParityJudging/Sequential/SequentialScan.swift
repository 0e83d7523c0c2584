import RecurrentModel
import TensorCore

/// All modules of a chain, in doubles and in sixteen replicas.
struct SequentialScan {
  let sequential: Sequential
  let model: RoundingModel
  /// Which sixteen of the replicas.
  let group: Int
  /// Of the first recurrent direction to be lost; nil for none.
  var agreeingSteps: Int?

  init(sequential: Sequential, model: RoundingModel, group: Int) {
    self.sequential = sequential
    self.model = model
    self.group = group
  }

  /// By the names of `SequentialOutput`.
  mutating func run(_ input: Tensor) throws(InvalidValue) -> [String: NoisyTensor] {
    var tensors: [String: NoisyTensor] = [:]
    var value = NoisyTensor(exact: input)
    for (index, module) in sequential.modules.enumerated() {
      let shape = try module.shape(for: value.shape)
      if case .recurrent(let configuration, let stateDict, let select) = module.layer {
        let outputs = try recurrent(index, configuration, stateDict, value)
        for (name, tensor) in outputs { tensors[module.name + "." + name] = tensor }
        guard let output = outputs["output"], let hN = outputs["h_n"] else {
          preconditionFailure("a chain has no cells")
        }
        value = select == .output || select == .lastStep ? output : hN
        value = value.selected(select, shape)
      } else {
        value = result(index, module.layer, value, input, shape)
        tensors[module.name + ".output"] = value
      }
    }
    tensors["output"] = value
    return tensors
  }

  private func noise(_ module: Int, row: Int, units: Int, step: Int = 0) -> StepNoise {
    let draws = NoiseDraws(
      module: module, layer: 0, direction: 0, sequence: row, group: group, units: units)
    return StepNoise(model: model, draws: draws, step: step)
  }

  private func result(
    _ index: Int, _ layer: SequentialModule.Layer, _ value: NoisyTensor, _ input: Tensor,
    _ shape: SequentialShape
  ) -> NoisyTensor {
    switch layer {
    case .embedding(let weight, _):
      let (table, size) = (weight.elements(as: Double.self), weight.shape.axes[1])
      let rows = (input.integers ?? []).map {
        NoisyVector(Array(table[Int($0) * size..<(Int($0) + 1) * size]))
      }
      return NoisyTensor(shape, rows, isLost: Array(repeating: false, count: rows.count))
    case .linear(let weight, let bias):
      let matrix = NoisyMatrix(ScanMatrix(weight, bias: bias), model.emulation)
      let rows = value.rows.enumerated().map { row, vector in
        noise(index, row: row, units: weight.shape.axes[0]).product(matrix, vector, .inputProduct)
      }
      return NoisyTensor(shape, rows, isLost: value.isLost)
    case .directionMerge(let mode, let exchanging):
      return merged(index, value, mode, exchanging, shape)
    case .softmax(let isLogarithm, let axis):
      return softmax(index, value, isLogarithm, axis)
    case .recurrent:
      preconditionFailure("recurrent modules have scans of their own")
    }
  }

  private func merged(
    _ index: Int, _ value: NoisyTensor, _ mode: SequentialModule.MergeMode, _ exchanging: Bool,
    _ shape: SequentialShape
  ) -> NoisyTensor {
    let isState = value.shape.isState
    let size = isState ? value.size : value.size / 2
    let count = isState ? value.rows.count / 2 : value.rows.count
    var rows: [NoisyVector] = []
    var isLost: [Bool] = []
    for row in 0..<count {
      let (forward, reverse) =
        isState
        ? (value.rows[row], value.rows[count + row]) : value.rows[row].halves(size)
      let noise = noise(index, row: row, units: size)
      rows.append(
        mode == .concat
          ? NoisyVector(joining: exchanging ? [reverse, forward] : [forward, reverse])
          : NoisyVector(count: size) { noise.merged(forward[$0], reverse[$0], mode, $0) })
      isLost.append(value.isLost[row] || isState && value.isLost[count + row])
    }
    return NoisyTensor(shape, rows, isLost: isLost)
  }

  private func softmax(
    _ index: Int, _ value: NoisyTensor, _ isLogarithm: Bool, _ axis: Int
  ) -> NoisyTensor {
    var result = value
    let size = value.size
    let shape = Shape(value.shape.axes)
    var numbers: [NoisyNumber] = value.rows.flatMap { row in (0..<row.count).map { row[$0] } }
    for (number, line) in shape.lines(along: axis).enumerated() {
      let noise = noise(index, row: number, units: line.count)
      let results = noise.softmax(line.map { numbers[$0] }, isLogarithm: isLogarithm)
      let isLost = line.contains { value.isLost[$0 / size] }
      for (place, number) in zip(line, results) {
        numbers[place] = number
        if isLost { result.isLost[place / size] = true }
      }
    }
    for row in value.rows.indices {
      result.rows[row] = NoisyVector(count: size) { numbers[row * size + $0] }
    }
    return result
  }
}

extension StepNoise {
  fileprivate func merged(
    _ a: NoisyNumber, _ b: NoisyNumber, _ mode: SequentialModule.MergeMode, _ unit: Int
  ) -> NoisyNumber {
    switch mode {
    case .mul: product(a, b, .hidden, unit)
    case .sum, .concat: sum(a, b, .hidden, unit)
    case .ave:
      // Halving is exact.
      product(
        sum(a, b, .hidden, unit), NoisyNumber(value: 0.5, replicas: Replicas(repeating: 0.5)),
        .renewed, unit)
    }
  }
}

extension NoisyVector {
  func halves(_ size: Int) -> (NoisyVector, NoisyVector) {
    (
      NoisyVector(Array(values[..<size]), replicas: replicas.map { Array($0[..<size]) }),
      NoisyVector(Array(values[size...]), replicas: replicas.map { Array($0[size...]) })
    )
  }
}
