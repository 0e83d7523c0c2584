package import RecurrentModel
import TensorCore

/// How far each sequence of a batch is off.
package enum SequenceDifferences {
  /// Σ|actual − expected| over a sequence's vectors and states; an element that is not
  /// finite on one side only, or not the same, counts as 1. O(elements).
  package static func totals(
    _ actual: RecurrentOutput, from expected: RecurrentOutput, _ layout: SequenceLayout
  ) -> [Double] {
    var totals = [Double](repeating: 0, count: layout.batch)
    for (given, exact) in zip(actual.named, expected.named) {
      let size = max(given.tensor.shape.axes.last ?? 1, 1)
      for offset in 0..<given.tensor.count {
        let row = offset / size
        let sequence =
          given.name == "output" ? layout.position(ofRow: row).sequence : row % layout.batch
        let (own, right) = (given.tensor.double(at: offset), exact.tensor.double(at: offset))
        let difference = abs(own - right)
        let isSame = own == right || own.isNaN && right.isNaN
        totals[sequence] += difference.isFinite ? difference : isSame ? 0 : 1
      }
    }
    return totals
  }
}
