import RecurrentModel
import TensorCore

/// The states of one layer's direction for all sequences of the batch.
struct EngineState<Scalar: FloatingElement> {
  var h: [Scalar]  // (B, P)
  var c: [Scalar]  // (B, H); empty where the module has no cell state
}

/// The states of all layers and directions, in the order of `h_n`'s rows.
struct EngineStates<Scalar: FloatingElement> {
  private var rows: [EngineState<Scalar>]
  private let outputSize: Int
  private let hiddenSize: Int
  private let hasCellState: Bool

  init(of input: RecurrentInput, _ configuration: RecurrentConfiguration) {
    let batch = input.layout.batch
    outputSize = configuration.outputSize
    hiddenSize = configuration.hiddenSize
    hasCellState = configuration.module.recurrence.hasCellState
    let h = Self.rows(input.h0, configuration.stateRows, batch * outputSize)
    let c = Self.rows(input.c0, configuration.stateRows, hasCellState ? batch * hiddenSize : 0)
    rows = zip(h, c).map { EngineState(h: $0, c: $1) }
  }

  private static func rows(_ state: Tensor?, _ count: Int, _ size: Int) -> [[Scalar]] {
    guard let state else {
      return Array(repeating: Array(repeating: 0, count: size), count: count)
    }
    let elements = state.elements(as: Scalar.self)
    return (0..<count).map { Array(elements[$0 * size..<($0 + 1) * size]) }
  }

  subscript(row: Int) -> EngineState<Scalar> {
    get { rows[row] }
    _modify { yield &rows[row] }
  }

  func hN(_ layout: SequenceLayout) -> Tensor {
    let axes = layout.stateAxes(rows: rows.count, features: outputSize)
    return Tensor(rows.flatMap(\.h), shape: Shape(axes))
  }

  func cN(_ layout: SequenceLayout) -> Tensor? {
    guard hasCellState else { return nil }
    let axes = layout.stateAxes(rows: rows.count, features: hiddenSize)
    return Tensor(rows.flatMap(\.c), shape: Shape(axes))
  }
}
