import RecurrentKernels
import RecurrentModel
import TensorCore

/// One direction of one layer, computed for some of the sequences from their first step to
/// their last.
///
/// The sum of a gate is made of two: b_ih plus the products with the input, term by term, and
/// b_hh plus the products with h. They are always added up in this order, whatever is computed
/// beside them. (In a single chain of additions, each of many small products with h would be
/// rounded as coarsely as the large sum of the input's.)
struct DirectionPass<Scalar: KernelScalar>: Sendable {
  let cell: PackedCell<Scalar>
  let direction: Direction
  let schedule: BatchSchedule
  let input: VectorRows<Scalar>
  /// Of each vector, this direction writes `outputSize` elements.
  let output: VectorRows<Scalar>
  /// The number of elements of a vector that stand before those of this direction.
  let offset: Int
  /// The initial states, which are replaced by the final ones.
  let states: States

  /// Where the states stand in memory: h is (B, P) and c (B, H). Only an LSTM has a c.
  struct States: @unchecked Sendable {
    let h: UnsafeMutablePointer<Scalar>
    let c: UnsafeMutablePointer<Scalar>?
  }

  /// How many bytes of sums of the input's products are computed ahead: few enough to stay in
  /// a core's cache until they are used, and enough that the weights are read for many rows at
  /// a time.
  private static var bytesAtOnce: Int { 1 << 19 }

  /// Writes the output of every step and the final states.
  ///
  /// - Complexity: O(steps of all sequences · G·H·(I + H)).
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func run() {
    let count = schedule.sequences.count
    guard count > 0 else { return }
    let step = StepBuffers(cell, count: count)
    forEachState(step) { state, row, size in row.update(from: state, count: size) }
    let rowBytes = cell.input.shape.sumsCount * MemoryLayout<Scalar>.stride
    let rows = max(count, min(Self.bytesAtOnce / rowBytes, count * schedule.positions))
    let sums = RowBuffer<Scalar>(
      rows: rows, size: cell.input.shape.sumsCount, lanes: cell.lanes)
    let vectors = Buffer<UnsafeRawPointer?>(repeating: nil, count: rows)
    var ahead = rk_ahead(
      rows: step.results.start, bytes: Int64(cell.outputSize * MemoryLayout<Scalar>.stride))
    var running = count
    var position = 0
    while position < schedule.positions {
      var (end, filled, next) = (position, 0, running)
      while end < schedule.positions {
        next = schedule.running(at: end, of: next)
        guard filled + next <= rows else { break }
        for slot in 0..<next {
          vectors.start[filled + slot] = UnsafeRawPointer(inputRow(end, slot))
        }
        filled += next
        end += 1
      }
      cell.input.addProducts(
        with: vectors.start, count: filled, to: sums.start, stride: sums.stride, cell.kernels)
      var own = 0
      while position < end {
        running = schedule.running(at: position, of: running)
        setResults(of: step, at: position, running)
        cell.hidden.addProducts(
          with: step.hiddenRows.start, count: running, to: sums.row(own),
          stride: sums.stride, ahead: &ahead, cell.kernels)
        advance(step, running, sums.row(own), stride: sums.stride)
        own += running
        position += 1
      }
    }
    forEachState(step) { state, row, size in state.update(from: row, count: size) }
    // The kernels see their memory through pointers alone.
    withExtendedLifetime((sums, vectors, step)) {}
  }

  /// The step that a sequence is at, at a position. The sequence is given by its place in the
  /// schedule.
  private func step(_ position: Int, _ slot: Int) -> Int {
    direction == .forward ? position : schedule.lengths[slot] - 1 - position
  }

  private func inputRow(_ position: Int, _ slot: Int) -> UnsafeMutablePointer<Scalar> {
    input.row(sequence: schedule.sequences[slot], step: step(position, slot))
  }

  /// Sets where the first `running` sequences write their h at a position.
  private func setResults(
    of step: StepBuffers<Scalar>, at position: Int, _ running: Int
  ) {
    for slot in 0..<running {
      let row = output.row(
        sequence: schedule.sequences[slot], step: self.step(position, slot))
      step.results.start[slot] = UnsafeMutableRawPointer(row + offset)
    }
  }

  /// Hands out each state of each sequence: where it stands before and after the pass, the row
  /// that holds it meanwhile, and its size.
  private func forEachState(
    _ step: StepBuffers<Scalar>,
    _ body: (
      _ state: UnsafeMutablePointer<Scalar>, _ row: UnsafeMutablePointer<Scalar>, _ size: Int
    ) -> Void
  ) {
    for (slot, sequence) in schedule.sequences.enumerated() {
      body(states.h + sequence * cell.outputSize, step.hidden.row(slot), cell.outputSize)
      if let c = states.c {
        body(c + sequence * cell.hiddenSize, step.cell.row(slot), cell.hiddenSize)
      }
    }
  }

  /// Computes one step from the complete sums of its gates, in rows that are `stride` elements
  /// apart.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func advance(
    _ step: StepBuffers<Scalar>, _ running: Int, _ sums: UnsafeMutablePointer<Scalar>,
    stride: Int
  ) {
    cell.applyGates(
      sums, stride: stride, cell: step.cell, hidden: step.unprojected ?? step.hidden,
      results: step.unprojected == nil ? step.results.start : nil, count: running)
    if let projection = cell.projection {
      projection.addProducts(
        with: step.unprojectedRows.start, count: running, to: step.hidden.start,
        stride: step.hidden.stride, cell.kernels)
      for slot in 0..<running {
        step.results.start[slot]?.copyMemory(
          from: step.hidden.row(slot), byteCount: cell.outputSize * MemoryLayout<Scalar>.stride)
      }
    }
  }

}

/// The states that a pass carries from one step to the next, one row for each sequence.
private struct StepBuffers<Scalar: KernelScalar> {
  let hidden: RowBuffer<Scalar>
  let hiddenRows: Buffer<UnsafeRawPointer?>
  /// Where in the output each sequence's h is written at the current position.
  let results: Buffer<UnsafeMutableRawPointer?>
  let cell: RowBuffer<Scalar>
  /// h before the projection; nil where there is none.
  let unprojected: RowBuffer<Scalar>?
  let unprojectedRows: Buffer<UnsafeRawPointer?>

  init(_ cell: PackedCell<Scalar>, count: Int) {
    func rows(_ size: Int) -> RowBuffer<Scalar> {
      RowBuffer(rows: count, size: size, lanes: cell.lanes)
    }
    hidden = rows(cell.outputSize)
    hiddenRows = hidden.pointers(count: count)
    results = Buffer(repeating: nil, count: count)
    self.cell = rows(cell.hasCellState ? cell.hiddenSize : 0)
    unprojected = cell.projection == nil ? nil : rows(cell.hiddenSize)
    unprojectedRows = (unprojected ?? hidden).pointers(count: count)
  }
}
