import RecurrentModel

/// The vectors of a batch of sequences, where they stand in memory.
struct VectorRows<Scalar>: @unchecked Sendable {
  let start: UnsafeMutablePointer<Scalar>
  /// Elements of a vector.
  let size: Int
  let layout: SequenceLayout

  func row(sequence: Int, step: Int) -> UnsafeMutablePointer<Scalar> {
    start + layout.row(sequence: sequence, step: step) * size
  }
}
