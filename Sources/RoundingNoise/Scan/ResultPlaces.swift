import RecurrentModel
import TensorCore

/// Where the vectors of a recurrent module's results come from, once moves have been made.
///
/// The vectors of a direction are numbered, `output`'s first, then h_n's, then c_n's, and the
/// numbers are moved about in place of what they stand for: values, σ, or replicas.
struct ResultPlaces {
  /// The number of the vector that stands at each place; 0-based, row-major.
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
    let (layout, rows) = (contract.layout, configuration.stateRows)
    let output =
      layout.isCell ? nil : numbered(layout.axes(features: configuration.directions.count))
    let hN = numbered(layout.stateAxes(rows: rows, features: 1))
    let cN =
      configuration.module.recurrence.hasCellState
      ? numbered(layout.stateAxes(rows: rows, features: 1)) : nil
    let moved = moves.reduce(RecurrentOutput(output: output, hN: hN, cN: cN)) {
      $1.apply($0, contract)
    }
    (self.output, self.hN, self.cN) = (moved.output, moved.hN, moved.cN)
  }

  /// The numbers of a tensor's vectors.
  static func numbers(_ places: Tensor) -> [Int] { (places.integers ?? []).map { Int($0) } }
}
