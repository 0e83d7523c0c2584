package import TensorCore

/// Where the vector of one step of one sequence stands in a tensor of sequences, such as a
/// module's input or its `output`, and what the shapes of the tensors around it are.
///
/// | | sequences | states |
/// |---|---|---|
/// | `batch_first` | (B, T, F) | (rows, B, F) |
/// | else | (T, B, F) | (rows, B, F) |
/// | unbatched | (T, F) | (rows, F) |
/// | cell | (B, F) | (B, F) |
/// | cell, unbatched | (F) | (F) |
///
/// ```swift
/// let layout = SequenceLayout(ofSequences: [3, 4, 5], batchFirst: true)
/// layout?.row(sequence: 2, step: 1)  // 9: its elements start at 9 · 5
/// ```
///
/// It knows the order of the axes, but not the size F of the last one, which `input` and `output`
/// differ in. A cell's sequences are one step long.
package struct SequenceLayout: Sendable, Equatable {
  /// B, the number of sequences; 1 when unbatched.
  package let batch: Int
  /// T, the number of steps that the sequences are padded to.
  package let steps: Int
  package let batchFirst: Bool
  package let isBatched: Bool
  package let isCell: Bool

  /// - Returns: nil for a shape that has neither two nor three axes, or for a cell neither one
  ///   nor two.
  package init?(ofSequences shape: Shape, batchFirst: Bool, isCell: Bool = false) {
    self.isCell = isCell
    self.batchFirst = batchFirst
    if isCell {
      guard shape.rank == 1 || shape.rank == 2 else { return nil }
      isBatched = shape.rank == 2
      batch = isBatched ? shape.axes[0] : 1
      steps = 1
      return
    }
    guard shape.rank == 2 || shape.rank == 3 else { return nil }
    isBatched = shape.rank == 3
    let batchAxis = batchFirst ? 0 : 1
    batch = isBatched ? shape.axes[batchAxis] : 1
    steps = isBatched ? shape.axes[1 - batchAxis] : shape.axes[0]
  }

  private init(batch: Int, steps: Int, of other: SequenceLayout) {
    self.batch = batch
    self.steps = steps
    batchFirst = other.batchFirst
    isBatched = other.isBatched
    isCell = other.isCell
  }

  /// The same order of axes with another number of steps, and of sequences where `batch` is
  /// given.
  package func with(steps: Int, batch: Int? = nil) -> SequenceLayout {
    SequenceLayout(batch: batch ?? self.batch, steps: steps, of: self)
  }

  /// The number of the vector that belongs to a step of a sequence, where the vectors of the
  /// tensor are counted in row-major order: its elements start at `row · F`.
  package func row(sequence: Int, step: Int) -> Int {
    batchFirst ? sequence * steps + step : step * batch + sequence
  }

  /// The sequence and the step of a vector: the inverse of `row(sequence:step:)`.
  package func position(ofRow row: Int) -> (sequence: Int, step: Int) {
    if batchFirst {
      return (row / steps, row % steps)
    }
    return (row % batch, row / batch)
  }

  /// The axes of a tensor of sequences whose last axis has the size `features`. They are not a
  /// `Shape`, since sizes that a manifest states can be too large for one; checks compare the
  /// axes.
  package func axes(features: Int) -> [Int] {
    if isCell { return isBatched ? [batch, features] : [features] }
    guard isBatched else { return [steps, features] }
    return batchFirst ? [batch, steps, features] : [steps, batch, features]
  }

  /// The axes of a state; `batch_first` does not change them.
  package func stateAxes(rows: Int, features: Int) -> [Int] {
    let own = isBatched ? [batch, features] : [features]
    return isCell ? own : [rows] + own
  }
}
