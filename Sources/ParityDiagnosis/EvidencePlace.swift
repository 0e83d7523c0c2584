import RecurrentModel
import TensorCore

extension Evidence {
  /// The first layer whose final states are wrong, and the directions in which they are: a mistake
  /// in a layer does not show in those below it. nil where h_n is not there, or is right.
  ///
  /// - Complexity: O(elements of h_n).
  var firstWrongPlace: (layer: Int, directions: [Direction])? {
    guard chain.isSingleModule, let configuration = chain.modules[0].configuration,
      !configuration.module.isCell, let given = outputs["h_n"], let right = exact["h_n"],
      given.shape == right.shape, configuration.stateRows > 0
    else { return nil }
    let size = right.count / configuration.stateRows
    func isWrong(_ row: Int) -> Bool {
      (row * size..<(row + 1) * size).contains { place in
        let (own, other) = (given.double(at: place), right.double(at: place))
        return !(abs(own - other) <= 1e-4 * max(1, abs(other))) && !(own.isNaN && other.isNaN)
      }
    }
    for layer in 0..<configuration.numLayers {
      let wrong = configuration.directions.filter {
        isWrong(configuration.stateRow(layer: layer, $0))
      }
      if !wrong.isEmpty { return (layer, wrong) }
    }
    return nil
  }
}
