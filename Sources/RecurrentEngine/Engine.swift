package import RecurrentModel
import RealModule
package import TensorCore

/// The fast forward pass, in the case's own precision.
///
/// Every element of a result sums its terms in one fixed order, whatever the
/// batch: a sequence's results have the same bits alone and in company.
package enum Engine {
  /// - Parameter arithmetic: the module's own; computed in `float32`, or in
  ///   `float64` where it is that.
  /// - Returns: a forward pass with the weights packed, once. O(weights).
  package static func forwardPass(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, in arithmetic: Arithmetic
  ) -> any ForwardPass {
    // Concrete types here, so that the kernels are specialised in this module.
    arithmetic.computation == .float64
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
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func outputs(for input: RecurrentInput) -> RecurrentOutput {
    let batch = input.layout.batch
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

    return RecurrentOutput(
      output: configuration.module.isCell ? nil : output(activations, input.outputLayout),
      hN: states.hN(input.layout), cN: states.cN(input.layout))
  }

  /// Zeros behind the end of each sequence.
  private func output(_ activations: TimeMajor<Scalar>, _ layout: SequenceLayout) -> Tensor {
    let features = activations.features
    var output = [Scalar](repeating: 0, count: layout.batch * layout.steps * features)
    for step in 0..<min(layout.steps, activations.steps) {
      for sequence in 0..<layout.batch {
        let start = layout.row(sequence: sequence, step: step) * features
        activations.copyRow(step: step, sequence: sequence, to: &output, at: start)
      }
    }
    return Tensor(output, shape: Shape(layout.axes(features: features)))
  }

  private func timeMajor(_ input: RecurrentInput, steps: Int) -> TimeMajor<Scalar> {
    let size = configuration.inputSize
    var rows = TimeMajor<Scalar>(steps: steps, batch: input.layout.batch, features: size)
    input.input.withElements(as: Scalar.self) { elements in
      for step in 0..<steps {
        for sequence in 0..<input.layout.batch {
          let start = input.layout.row(sequence: sequence, step: step) * size
          rows.setRow(step: step, sequence: sequence, to: elements[start..<start + size])
        }
      }
    }
    return rows
  }
}
