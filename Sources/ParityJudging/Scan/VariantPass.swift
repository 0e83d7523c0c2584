package import RecurrentModel
import TensorCore

/// A variant's forward pass in doubles; without one, the oracle's.
package struct VariantPass: ForwardPass {
  private let configuration: RecurrentConfiguration
  private let variant: ScanVariant
  private let cells: [[ScanCell<ExactArithmetic>]]

  package init(_ call: RecurrentCall, _ variant: ScanVariant) {
    let (configuration, stateDict) = (call.configuration, call.stateDict)
    self.configuration = configuration
    self.variant = variant
    cells = (0..<configuration.numLayers).map { layer in
      configuration.directions.map { direction in
        ScanCell(configuration, stateDict, layer: layer, direction, variant) {
          ExactMatrix($0, variant.emulation)
        }
      }
    }
  }

  /// In float64. O(B·T·L·D·G·H·(I + H)).
  package func outputs(for input: RecurrentInput) -> RecurrentOutput {
    let (batch, layout) = (input.layout.batch, input.outputLayout)
    func zeros(rows: Int, _ size: Int) -> [Double] { [Double](repeating: 0, count: rows * size) }
    let (features, rows) = (configuration.outputFeatures, configuration.stateRows)
    let (size, cellSize) = (configuration.outputSize, configuration.hiddenSize)
    var output = zeros(rows: batch * layout.steps, features)
    var h = zeros(rows: rows * batch, size)
    var c = zeros(rows: rows * batch, cellSize)
    let arithmetic = ExactArithmetic(emulation: variant.emulation)
    for sequence in 0..<batch {
      let layers = SequenceScan(
        configuration: configuration, cells: cells, input: input, sequence: sequence,
        variant: variant
      ).run({ _, _ in arithmetic }, isLost: { _ in false })
      for (row, pass) in layers.joined().enumerated() {
        let place = row * batch + sequence
        for (unit, value) in (pass.final?.h.values ?? []).enumerated() {
          h[place * size + unit] = value
        }
        for (unit, value) in (pass.final?.c?.values ?? []).enumerated() {
          c[place * cellSize + unit] = value
        }
      }
      for (half, pass) in (layers.last ?? []).enumerated() {
        for (step, vector) in pass.hidden.enumerated() {
          let start = layout.row(sequence: sequence, step: step) * features + half * size
          for (unit, value) in vector.values.enumerated() { output[start + unit] = value }
        }
      }
    }
    func state(_ elements: [Double], _ size: Int) -> Tensor {
      Tensor(elements, shape: Shape(input.layout.stateAxes(rows: rows, features: size)))
    }
    return RecurrentOutput(
      output: configuration.module.isCell
        ? nil : Tensor(output, shape: Shape(layout.axes(features: features))),
      hN: state(h, size),
      cN: configuration.module.recurrence.hasCellState ? state(c, cellSize) : nil)
  }
}
