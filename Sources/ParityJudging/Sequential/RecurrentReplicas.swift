import RecurrentModel
import TensorCore

extension SequentialScan {
  /// A recurrent module of the chain: output, h_n and, for LSTM, c_n.
  mutating func recurrent(
    _ index: Int, _ configuration: RecurrentConfiguration, _ stateDict: StateDict,
    _ value: NoisyTensor
  ) throws(InvalidValue) -> [String: NoisyTensor] {
    let input = try RecurrentInput(
      input: Tensor(value.rows.flatMap(\.values), shape: Shape(value.shape.axes)),
      for: configuration)
    let cells = (0..<configuration.numLayers).map { layer in
      configuration.directions.map { direction in
        ScanCell<StepNoise>(configuration, stateDict, layer: layer, direction, ScanVariant()) {
          NoisyMatrix($0, model.emulation)
        }
      }
    }
    let (layout, batch, rows) = (input.layout, input.layout.batch, configuration.stateRows)
    func blank(_ axes: [Int], size: Int) -> NoisyTensor {
      let count = axes.dropLast().reduce(1, *)
      let zeros = NoisyVector([Double](repeating: 0, count: size))
      return NoisyTensor(
        SequentialShape(axes), Array(repeating: zeros, count: count),
        isLost: Array(repeating: true, count: count))
    }
    var output = blank(
      layout.axes(features: configuration.outputFeatures), size: configuration.outputFeatures)
    output.shape.directions = configuration.directions.count
    output.isBatchFirst = configuration.batchFirst
    var hN = blank(
      layout.stateAxes(rows: rows, features: configuration.outputSize),
      size: configuration.outputSize)
    var cN = blank(
      layout.stateAxes(rows: rows, features: configuration.hiddenSize),
      size: configuration.hiddenSize)
    let lost = LostReplicas(configuration, model)
    for sequence in 0..<batch {
      var scan = SequenceScan<StepNoise>(
        configuration: configuration, cells: cells, input: input, sequence: sequence,
        variant: ScanVariant())
      scan.vectors = (0..<layout.steps).map { step in
        let row = layout.row(sequence: sequence, step: step)
        return (value.rows[row], value.isLost[row])
      }
      let layers = scan.run(
        { layer, direction in
          StepNoise(
            model: model,
            draws: NoiseDraws(
              module: index, layer: layer, direction: direction.rawValue, sequence: sequence,
              group: group,
              units: configuration.module.recurrence.gates.count * configuration.hiddenSize),
            step: 0)
        }, isLost: lost.holds)
      for (row, pass) in layers.joined().enumerated() {
        guard let final = pass.final else {
          let steps = pass.isLost.count { !$0 }
          agreeingSteps = min(agreeingSteps ?? steps, steps)
          continue
        }
        let place = row * batch + sequence
        (hN.rows[place], hN.isLost[place]) = (final.h, false)
        if let c = final.c { (cN.rows[place], cN.isLost[place]) = (c, false) }
      }
      let last = layers.last ?? []
      for step in 0..<layout.steps {
        let row = layout.row(sequence: sequence, step: step)
        output.rows[row] = NoisyVector(joining: last.map { $0.hidden[step] })
        output.isLost[row] = last.contains { $0.isLost[step] }
      }
    }
    let outputs = ["output": output, "h_n": hN]
    return configuration.module.recurrence.hasCellState
      ? outputs.merging(["c_n": cN]) { $1 } : outputs
  }
}
