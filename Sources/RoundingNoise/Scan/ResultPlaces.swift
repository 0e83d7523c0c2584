import RecurrentModel
import TensorCore

/// Where the vectors of a recurrent module's results come from, once moves have been made.
///
/// The vectors are numbered, one for each direction, step and sequence of `output`, then those of
/// h_n, then those of c_n. The moves are made on these numbers, once, and the answer then serves
/// for whatever the vectors hold: values, σ or replicas. Where a move takes vectors apart, each
/// element is numbered as if it were a vector.
struct ResultPlaces {
  /// Whether what is numbered are elements.
  let isOfElements: Bool
  /// The number of the vector that stands at each place; counted from 0, in row-major order.
  let output: Tensor?
  let hN: Tensor
  let cN: Tensor?

  init(_ moves: [ResultMove], _ configuration: RecurrentConfiguration, _ contract: LayoutContract) {
    var count = 0
    func numbered(_ axes: [Int]) -> Tensor {
      let shape = Shape(axes)
      defer { count += shape.elementCount }
      return Tensor((0..<shape.elementCount).map { Int64(count + $0) }, shape: shape)
    }
    let isOfElements = moves.contains(where: \.takesVectorsApart)
    self.isOfElements = isOfElements
    func size(_ features: Int) -> Int { isOfElements ? features : 1 }
    let (layout, rows) = (contract.layout, configuration.stateRows)
    let (hidden, cell) = (size(configuration.outputSize), size(configuration.hiddenSize))
    let output =
      layout.isCell ? nil : numbered(layout.axes(features: configuration.directions.count * hidden))
    let hN = numbered(layout.stateAxes(rows: rows, features: hidden))
    let cN =
      configuration.module.recurrence.hasCellState
      ? numbered(layout.stateAxes(rows: rows, features: cell)) : nil
    let moved = moves.reduce(RecurrentOutput(output: output, hN: hN, cN: cN)) {
      $1.apply($0, contract)
    }
    (self.output, self.hN, self.cN) = (moved.output, moved.hN, moved.cN)
  }

  /// The numbers in one of these tensors, row-major.
  static func numbers(_ places: Tensor) -> [Int] { (places.integers ?? []).map { Int($0) } }
}
