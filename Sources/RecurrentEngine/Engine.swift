import Dispatch
package import RecurrentModel
import TensorCore

/// The fast forward pass, in the case's own precision.
///
/// Every element of a result is made by one fixed sequence of operations: the same
/// bits on every machine, for any number of threads, and for a sequence alone or in
/// company.
package enum Engine {
  /// - Parameters:
  ///   - call: computed in `float32`, or in `float64` where its arithmetic is that.
  ///   - threads: how many to use at most.
  ///   - instructionSet: one of this processor's; nil for what `PARITY_ISA` names, or
  ///     the fastest.
  /// - Returns: a forward pass with the weights packed, once. O(weights).
  package static func forwardPass(
    _ call: RecurrentCall, threads: Int = 1, instructionSet: InstructionSet? = nil
  ) -> any ForwardPass {
    let set = instructionSet ?? .current
    // Concrete types here, so that all behind them is specialised in this module.
    return call.arithmetic.computation == .float64
      ? PackedModule<Double>(call, threads: threads, set)
      : PackedModule<Float>(call, threads: threads, set)
  }
}

/// A module's weights, packed for its element type and an instruction set.
struct PackedModule<Scalar: KernelScalar>: ForwardPass {
  private let configuration: RecurrentConfiguration
  /// By layer, then direction.
  private let cells: [[PackedCell<Scalar>]]
  private let threads: Int

  init(_ call: RecurrentCall, threads: Int, _ instructionSet: InstructionSet) {
    let (configuration, stateDict) = (call.configuration, call.stateDict)
    self.configuration = configuration
    self.threads = threads
    cells = (0..<configuration.numLayers).map { layer in
      configuration.directions.map {
        PackedCell(configuration, stateDict, layer: layer, $0, instructionSet)
      }
    }
  }

  /// O(B·T·L·D·G·H·(I + H)). Beside the weights it holds the vectors that go into a
  /// layer and those that come out of it.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func outputs(for input: RecurrentInput) -> RecurrentOutput {
    let layout = input.outputLayout
    let (batch, size) = (input.layout.batch, configuration.outputFeatures)
    let stateCount = configuration.stateRows * batch
    var h = input.h0?.elements(as: Scalar.self) ?? zeros(stateCount * configuration.outputSize)
    var c =
      configuration.module.recurrence.hasCellState
      ? input.c0?.elements(as: Scalar.self) ?? zeros(stateCount * configuration.hiddenSize) : []
    // Every element is written but for padding.
    var output =
      input.packing == nil
      ? [Scalar](unsafeUninitializedCapacity: batch * layout.steps * size) { _, initialized in
        initialized = batch * layout.steps * size
      } : zeros(batch * layout.steps * size)

    let schedule = BatchSchedule(input)
    let parts = schedule.parts(batchParts(schedule))
    let inputLayout = input.layout
    input.input.withElements(as: Scalar.self) { elements in
      output.withUnsafeMutableBufferPointer { output in
        h.withUnsafeMutableBufferPointer { h in
          c.withUnsafeMutableBufferPointer { c in
            guard let input = elements.baseAddress, let output = output.baseAddress,
              let h = h.baseAddress
            else { return }
            run(
              VectorRows(
                start: UnsafeMutablePointer(mutating: input), size: configuration.inputSize,
                layout: inputLayout),
              into: VectorRows(start: output, size: size, layout: layout), parts,
              DirectionPass.States(h: h, c: c.isEmpty ? nil : c.baseAddress), batch: batch)
          }
        }
      }
    }
    let rows = configuration.stateRows
    return RecurrentOutput(
      output: configuration.module.isCell
        ? nil : Tensor(output, shape: Shape(layout.axes(features: size))),
      hN: Tensor(
        h, shape: Shape(inputLayout.stateAxes(rows: rows, features: configuration.outputSize))),
      cN: c.isEmpty && !configuration.module.recurrence.hasCellState
        ? nil
        : Tensor(
          c, shape: Shape(inputLayout.stateAxes(rows: rows, features: configuration.hiddenSize))))
  }

  private func zeros(_ count: Int) -> [Scalar] { Array(repeating: 0, count: count) }

  /// Layer after layer; the directions of a layer side by side.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func run(
    _ input: VectorRows<Scalar>, into output: VectorRows<Scalar>, _ parts: [BatchSchedule],
    _ states: DirectionPass<Scalar>.States, batch: Int
  ) {
    var (from, spare): (VectorRows<Scalar>, Buffer<Scalar>?) = (input, nil)
    for (layer, directions) in cells.enumerated() {
      let isLast = layer == cells.count - 1
      let count = output.layout.batch * output.layout.steps * output.size
      let between = isLast ? nil : Buffer<Scalar>(repeating: 0, count: count)
      let to =
        between.map { VectorRows(start: $0.start, size: output.size, layout: output.layout) }
        ?? output
      let passes = directions.enumerated().flatMap { number, cell in
        let row = (layer * directions.count + number) * batch
        return parts.map { part in
          DirectionPass(
            cell: cell, direction: configuration.directions[number], schedule: part, input: from,
            output: to, offset: number * cell.outputSize,
            states: DirectionPass.States(
              h: states.h + row * cell.outputSize, c: states.c.map { $0 + row * cell.hiddenSize }))
        }
      }
      if threads > 1, passes.count > 1 {
        DispatchQueue.concurrentPerform(iterations: passes.count) { passes[$0].run() }
      } else {
        for pass in passes { pass.run() }
      }
      withExtendedLifetime(spare) {}
      (from, spare) = (to, between)
    }
  }

  /// Into how many parts the batch goes so that every thread has one of a direction.
  private func batchParts(_ schedule: BatchSchedule) -> Int {
    max(1, min(threads / configuration.directions.count, schedule.sequences.count))
  }
}
