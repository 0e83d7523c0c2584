import TensorCore

/// The specification: the forward pass of PyTorch's recurrent modules in doubles, written to be
/// read beside PyTorch's documentation.
///
/// ```swift
/// let exact = Oracle(call).outputs(for: call.input)
/// ```
///
/// It is slow on purpose, one sequence and one step at a time. What is fast is the engine, in the
/// room `RecurrentEngine`.
///
/// - Complexity: O(B·T·L·D·G·H·(I + H)) for one pass, with G gates.
package struct Oracle: ForwardPass {
  private let configuration: RecurrentConfiguration
  /// The cells of all layers and directions: `cells[layer][direction.rawValue]`.
  private let cells: [[OracleCell]]

  /// Takes the arguments and parameters of a call. Its input is not used: the pass is run on any.
  package init(_ call: RecurrentCall) {
    let (configuration, stateDict) = (call.configuration, call.stateDict)
    self.configuration = configuration
    cells = (0..<configuration.numLayers).map { layer in
      configuration.directions.map { OracleCell(configuration, stateDict, layer: layer, $0) }
    }
  }

  package func outputs(for input: RecurrentInput) -> RecurrentOutput {
    let start = States(of: input, configuration)
    var end = start
    var output = Rows(
      count: input.outputLayout.batch * input.outputLayout.steps,
      size: configuration.outputFeatures)
    func vector(_ sequence: Int, _ step: Int) -> Vector {
      let start = input.layout.row(sequence: sequence, step: step) * configuration.inputSize
      return Vector((start..<start + configuration.inputSize).map(input.input.double(at:)))
    }

    for sequence in 0..<input.layout.batch {
      let steps = 0..<input.length(of: sequence)
      var vectors = steps.map { vector(sequence, $0) }
      for layer in 0..<configuration.numLayers {
        var halves: [[Vector]] = []
        for direction in configuration.directions {
          let row = input.layout.batch * configuration.stateRow(layer: layer, direction) + sequence
          let (hidden, last) = run(
            cells[layer][direction.rawValue], over: vectors, direction, from: start[row])
          halves.append(hidden)
          end[row] = last
        }
        // The directions of a step stand side by side, forward first.
        vectors = vectors.indices.map { step in Vector(halves.flatMap { $0[step].elements }) }
      }
      for step in steps {
        output[input.outputLayout.row(sequence: sequence, step: step)] = vectors[step]
      }
    }
    return RecurrentOutput(
      output: configuration.module.isCell
        ? nil : output.tensor(input.outputLayout.axes(features: output.size)),
      hN: end.h.tensor(
        input.layout.stateAxes(rows: configuration.stateRows, features: end.h.size)),
      cN: end.c.map {
        $0.tensor(input.layout.stateAxes(rows: configuration.stateRows, features: $0.size))
      })
  }

  /// Runs one direction of one layer over one sequence. The reverse direction reads the sequence
  /// from its end, and its results are put back in the sequence's order.
  private func run(
    _ cell: OracleCell, over vectors: [Vector], _ direction: Direction, from start: OracleCell.State
  ) -> (hidden: [Vector], last: OracleCell.State) {
    var state = start
    var hidden: [Vector] = []
    for vector in direction == .forward ? vectors : vectors.reversed() {
      state = cell.step(vector, state)
      hidden.append(state.h)
    }
    return (direction == .forward ? hidden : hidden.reversed(), state)
  }
}

/// The rows of a tensor, each of them a vector; all zeros to begin with.
private struct Rows {
  let size: Int
  var elements: [Double]

  init(count: Int, size: Int) {
    self.size = size
    elements = [Double](repeating: 0, count: count * size)
  }

  init(_ tensor: Tensor, size: Int) {
    self.size = size
    elements = tensor.elements()
  }

  subscript(row: Int) -> Vector {
    get { Vector(Array(elements[row * size..<(row + 1) * size])) }
    set { elements.replaceSubrange(row * size..<(row + 1) * size, with: newValue.elements) }
  }

  func tensor(_ axes: [Int]) -> Tensor { Tensor(elements, shape: Shape(axes)) }
}

/// The states of all layers, directions and sequences, in the order of h_n's rows; zeros where
/// the input gives none.
private struct States {
  var h: Rows
  var c: Rows?

  init(of input: RecurrentInput, _ configuration: RecurrentConfiguration) {
    let count = configuration.stateRows * input.layout.batch
    func rows(_ state: Tensor?, size: Int) -> Rows {
      state.map { Rows($0, size: size) } ?? Rows(count: count, size: size)
    }
    h = rows(input.h0, size: configuration.outputSize)
    c =
      configuration.module.recurrence.hasCellState
      ? rows(input.c0, size: configuration.hiddenSize) : nil
  }

  subscript(row: Int) -> OracleCell.State {
    get { .init(h: h[row], c: c?[row]) }
    set {
      h[row] = newValue.h
      if let newC = newValue.c { c?[row] = newC }
    }
  }
}
