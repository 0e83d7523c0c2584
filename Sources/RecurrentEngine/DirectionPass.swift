import RecurrentModel
import TensorCore

/// One direction of one layer over some of the sequences, start to end.
///
/// The input's products are made for several steps at once, and for each step the
/// products with h are added to them. A sequence's sums have the same terms in the same
/// order whatever is run beside it.
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

  /// Sums that are made at once: some hundred kilobytes, to stay in a core's cache.
  private static var sumsAtOnce: Int { (1 << 18) / MemoryLayout<Scalar>.size }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func run() {
    let count = schedule.sequences.count
    guard count > 0 else { return }
    let rowSize = cell.input.shape.sumsCount
    let rows = max(count, min(Self.sumsAtOnce / rowSize, count * schedule.positions))
    let sums = Buffer<Scalar>(repeating: 0, count: rows * rowSize)
    let vectors = Buffer<UnsafeRawPointer?>(repeating: nil, count: rows)
    let step = StepBuffers(cell, count: count)
    start(step)

    var position = 0
    while position < schedule.positions {
      var (end, filled) = (position, 0)
      while end < schedule.positions, filled + schedule.running(at: end) <= rows {
        for slot in 0..<schedule.running(at: end) {
          vectors.start[filled + slot] = UnsafeRawPointer(
            input.row(sequence: schedule.sequences[slot], step: self.step(end, slot)))
        }
        filled += schedule.running(at: end)
        end += 1
      }
      cell.input.addProducts(with: vectors.start, count: filled, to: sums.start, cell.kernels)
      var own = sums.start
      while position < end {
        let running = schedule.running(at: position)
        advance(to: position, running, own, step)
        own += running * rowSize
        position += 1
      }
    }
    finish(step)
  }

  /// The step of a sequence that is read at a position.
  private func step(_ position: Int, _ slot: Int) -> Int {
    direction == .forward ? position : schedule.lengths[slot] - 1 - position
  }

  private func result(_ position: Int, _ slot: Int) -> UnsafeMutablePointer<Scalar> {
    output.row(sequence: schedule.sequences[slot], step: step(position, slot)) + offset
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func start(_ step: StepBuffers<Scalar>) {
    for (slot, sequence) in schedule.sequences.enumerated() {
      step.previous.start[slot] = UnsafeRawPointer(states.h + sequence * cell.outputSize)
      if let c = states.c {
        (step.cell.start + slot * cell.paddedSize).update(
          from: c + sequence * cell.hiddenSize, count: cell.hiddenSize)
      }
      if let unprojected = step.unprojected {
        let row = unprojected.start + slot * cell.hiddenSize
        step.results.start[slot] = UnsafeMutableRawPointer(row)
        step.unprojectedRows.start[slot] = UnsafeRawPointer(row)
      }
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func advance(
    to position: Int, _ running: Int, _ sums: UnsafeMutablePointer<Scalar>,
    _ step: StepBuffers<Scalar>
  ) {
    cell.hidden.addProducts(with: step.previous.start, count: running, to: sums, cell.kernels)
    if step.unprojected == nil {
      for slot in 0..<running {
        step.results.start[slot] = UnsafeMutableRawPointer(result(position, slot))
      }
    }
    cell.applyGates(
      sums, cell: step.cell.start, previous: step.previous.start, results: step.results.start,
      count: running)
    if let projection = cell.projection {
      let size = projection.shape.sumsCount
      projection.addProducts(
        with: step.unprojectedRows.start, count: running, to: step.projected.start, cell.kernels)
      for slot in 0..<running {
        result(position, slot).update(
          from: step.projected.start + slot * size, count: cell.outputSize)
      }
    }
    for slot in 0..<running {
      step.previous.start[slot] = UnsafeRawPointer(result(position, slot))
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func finish(_ step: StepBuffers<Scalar>) {
    for (slot, sequence) in schedule.sequences.enumerated() {
      (states.h + sequence * cell.outputSize).update(
        from: result(schedule.lengths[slot] - 1, slot), count: cell.outputSize)
      if let c = states.c {
        (c + sequence * cell.hiddenSize).update(
          from: step.cell.start + slot * cell.paddedSize, count: cell.hiddenSize)
      }
    }
  }
}

/// What the steps of a pass write into, one row a sequence.
private struct StepBuffers<Scalar: KernelScalar> {
  /// To h of the step before.
  let previous: Buffer<UnsafeRawPointer?>
  /// To where h is written.
  let results: Buffer<UnsafeMutableRawPointer?>
  /// c, in whole vectors.
  let cell: Buffer<Scalar>
  /// h before the projection, where there is one, and pointers to its rows.
  let unprojected: Buffer<Scalar>?
  let unprojectedRows: Buffer<UnsafeRawPointer?>
  /// After it, in whole vectors.
  let projected: Buffer<Scalar>

  init(_ cell: PackedCell<Scalar>, count: Int) {
    previous = Buffer(repeating: nil, count: count)
    results = Buffer(repeating: nil, count: count)
    self.cell = Buffer(repeating: 0, count: cell.hasCellState ? count * cell.paddedSize : 0)
    unprojected = cell.projection.map { _ in
      Buffer(repeating: 0, count: count * cell.hiddenSize)
    }
    unprojectedRows = Buffer(repeating: nil, count: count)
    projected = Buffer(repeating: 0, count: count * (cell.projection?.shape.sumsCount ?? 0))
  }
}
