import RecurrentKernels
import RecurrentModel
import TensorCore

/// One direction of one layer over some of the sequences, start to end.
///
/// A gate's sum is b_ih and the products with the input, term by term, plus b_hh and
/// those with h, in this order whatever is run beside it. (In one chain, each of many
/// small products with h would be rounded like a large sum of the input's.)
struct DirectionPass<Scalar: KernelScalar>: Sendable {
  let cell: PackedCell<Scalar>
  let direction: Direction
  let schedule: BatchSchedule
  let input: VectorRows<Scalar>
  /// This direction's part of each vector is written, `offset` elements from its
  /// start.
  let output: VectorRows<Scalar>
  let offset: Int
  /// (B, P) of h and (B, H) of c, by sequence: at first the initial states, at last
  /// the final ones. There is no c but for LSTM.
  let states: States

  struct States: @unchecked Sendable {
    let h: UnsafeMutablePointer<Scalar>
    let c: UnsafeMutablePointer<Scalar>?
  }

  /// Bytes of the input's sums that are made at once: few enough to stay in a core's
  /// cache until they are used, many enough that the weights are read for many rows.
  private static var bytesAtOnce: Int { 1 << 19 }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func run() {
    let count = schedule.sequences.count
    guard count > 0 else { return }
    let step = StepBuffers(cell, count: count)
    start(step)
    let rowBytes = cell.input.shape.sumsCount * MemoryLayout<Scalar>.stride
    let rows = max(count, min(Self.bytesAtOnce / rowBytes, count * schedule.positions))
    let sums = RowBuffer<Scalar>(
      rows: rows, size: cell.input.shape.sumsCount, lanes: cell.lanes, zero: 0)
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
        aim(step, at: position, running)
        cell.hidden.addProducts(
          with: step.hiddenRows.start, count: running, to: sums.row(own),
          stride: sums.stride, ahead: &ahead, cell.kernels)
        advance(step, running, sums.row(own), stride: sums.stride)
        own += running
        position += 1
      }
    }
    finish(step)
    // The kernels see their memory through pointers alone.
    withExtendedLifetime((sums, vectors, step)) {}
  }

  /// The step of a sequence that is read at a position.
  private func step(_ position: Int, _ slot: Int) -> Int {
    direction == .forward ? position : schedule.lengths[slot] - 1 - position
  }

  private func inputRow(_ position: Int, _ slot: Int) -> UnsafeMutablePointer<Scalar> {
    input.row(sequence: schedule.sequences[slot], step: step(position, slot))
  }

  /// Where the results of the sequences at a position go.
  private func aim(_ step: StepBuffers<Scalar>, at position: Int, _ running: Int) {
    for slot in 0..<running {
      let row = output.row(
        sequence: schedule.sequences[slot], step: self.step(position, slot))
      step.results.start[slot] = UnsafeMutableRawPointer(row + offset)
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func start(_ step: StepBuffers<Scalar>) {
    for (slot, sequence) in schedule.sequences.enumerated() {
      step.hidden.row(slot).update(
        from: states.h + sequence * cell.outputSize, count: cell.outputSize)
      if let c = states.c {
        step.cell.row(slot).update(from: c + sequence * cell.hiddenSize, count: cell.hiddenSize)
      }
    }
  }

  /// - Parameter sums: complete, `stride` from one row to the next.
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

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func finish(_ step: StepBuffers<Scalar>) {
    for (slot, sequence) in schedule.sequences.enumerated() {
      (states.h + sequence * cell.outputSize).update(
        from: step.hidden.row(slot), count: cell.outputSize)
      if let c = states.c {
        (c + sequence * cell.hiddenSize).update(from: step.cell.row(slot), count: cell.hiddenSize)
      }
    }
  }
}

/// What goes from one step of a pass to the next, one row a sequence.
private struct StepBuffers<Scalar: KernelScalar> {
  let hidden: RowBuffer<Scalar>
  let hiddenRows: Buffer<UnsafeRawPointer?>
  /// Where a step's h is written in the output.
  let results: Buffer<UnsafeMutableRawPointer?>
  let cell: RowBuffer<Scalar>
  /// h before the projection, where there is one.
  let unprojected: RowBuffer<Scalar>?
  let unprojectedRows: Buffer<UnsafeRawPointer?>

  init(_ cell: PackedCell<Scalar>, count: Int) {
    func rows(_ size: Int) -> RowBuffer<Scalar> {
      RowBuffer(rows: count, size: size, lanes: cell.lanes, zero: 0)
    }
    hidden = rows(cell.outputSize)
    hiddenRows = hidden.pointers(count: count)
    results = Buffer(repeating: nil, count: count)
    self.cell = rows(cell.hasCellState ? cell.hiddenSize : 0)
    unprojected = cell.projection == nil ? nil : rows(cell.hiddenSize)
    unprojectedRows = (unprojected ?? hidden).pointers(count: count)
  }
}
