package import RecurrentModel
import RealModule
package import TensorCore

/// The fast forward pass, in the case's own precision.
///
/// Every element of a result sums its terms in one fixed order, whatever the
/// batch: a sequence's results have the same bits alone and in company.
package enum Engine {
  /// - Parameter elementType: what to compute in; `float32` or `float64`.
  /// - Returns: a forward pass with the weights packed, once. O(weights).
  package static func forwardPass(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, in elementType: ElementType
  ) -> any ForwardPass {
    // Concrete types here, so that the kernels are specialised in this module.
    elementType == .float64
      ? PackedModule<Double>(configuration, stateDict)
      : PackedModule<Float>(configuration, stateDict)
  }
}

/// A module's weights, packed for its element type.
struct PackedModule<Scalar: FloatingElement & Real>: ForwardPass {
  private let configuration: RecurrentConfiguration
  /// By layer, then direction.
  private let cells: [[PackedCell<Scalar>]]

  init(_ configuration: RecurrentConfiguration, _ stateDict: StateDict) {
    self.configuration = configuration
    cells = (0..<configuration.numLayers).map { layer in
      configuration.directions.map { PackedCell(configuration, stateDict, layer: layer, $0) }
    }
  }

  /// O(B·T·L·D·G·H·(I + H)).
  func outputs(for input: RecurrentInput) -> RecurrentOutput {
    let (batch, steps) = (input.layout.batch, input.outputLayout.steps)
    let lengths = (0..<batch).map(input.length(of:))
    var states = EngineStates<Scalar>(of: input, configuration)

    // Between the layers the vectors stand step after step, whatever the input's order.
    var activations = timeMajor(input, steps: lengths.max() ?? 0)
    for layer in 0..<configuration.numLayers {
      var next = TimeMajor<Scalar>(
        steps: activations.steps, batch: batch, features: configuration.outputFeatures)
      for direction in configuration.directions {
        cells[layer][direction.rawValue].run(
          over: activations, lengths: lengths, direction, into: &next,
          state: &states[configuration.stateRow(layer: layer, direction)])
      }
      activations = next
    }

    let outputLayout = input.outputLayout
    var output = [Scalar](
      repeating: 0, count: batch * steps * configuration.outputFeatures)
    for step in 0..<min(steps, activations.steps) {
      for sequence in 0..<batch {
        let start = outputLayout.row(sequence: sequence, step: step) * activations.features
        activations.copyRow(step: step, sequence: sequence, to: &output, at: start)
      }
    }
    let axes = outputLayout.axes(features: configuration.outputFeatures)
    return RecurrentOutput(
      output: Tensor(output, shape: Shape(axes)), hN: states.hN(input.layout),
      cN: states.cN(input.layout))
  }

  private func timeMajor(_ input: RecurrentInput, steps: Int) -> TimeMajor<Scalar> {
    let size = configuration.inputSize
    let elements = input.input.elements(as: Scalar.self)
    var rows = TimeMajor<Scalar>(steps: steps, batch: input.layout.batch, features: size)
    for step in 0..<steps {
      for sequence in 0..<input.layout.batch {
        let start = input.layout.row(sequence: sequence, step: step) * size
        rows.setRow(step: step, sequence: sequence, to: elements[start..<start + size])
      }
    }
    return rows
  }
}
