import RecurrentModel

/// The vectors that go into a layer or come out of it, one for each step of each sequence,
/// where they stand in memory. It does not own the memory.
struct VectorRows<Scalar>: @unchecked Sendable {
  let start: UnsafeMutablePointer<Scalar>
  /// The number of elements of a vector.
  let size: Int
  /// The order of the sequences and steps.
  let layout: SequenceLayout

  func row(sequence: Int, step: Int) -> UnsafeMutablePointer<Scalar> {
    start + layout.row(sequence: sequence, step: step) * size
  }
}
