import Dispatch
package import RecurrentModel
import TensorCore

/// The fast forward pass, in the module's own precision.
///
/// ```swift
/// let pass = Engine.forwardPass(call, threads: 4)
/// let output = pass.outputs(for: call.input)  // h_n: output.hN
/// ```
///
/// Every element of a result is computed by one fixed sequence of operations. So the bits are
/// the same on every machine, for any number of threads, and for a sequence alone or among
/// others.
package enum Engine {
  /// Packs a module's weights once, for any number of forward passes.
  ///
  /// - Parameters:
  ///   - call: the module with its parameters. It is computed in float64 where its arithmetic
  ///     is float64, and in float32 otherwise.
  ///   - threads: how many threads to use at most.
  ///   - instructionSet: one of this processor's; nil for the one that `PARITY_ISA` names, or
  ///     the fastest.
  /// - Complexity: O(weights) in time and memory.
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

/// A module whose weights are packed for one element type and instruction set.
struct PackedModule<Scalar: KernelScalar>: ForwardPass {
  private let configuration: RecurrentConfiguration
  /// By layer, then direction.
  private let cells: [[PackedCell<Scalar>]]
  private let threads: Int

  init(_ call: RecurrentCall, threads: Int, _ instructionSet: InstructionSet) {
    let configuration = call.configuration
    self.configuration = configuration
    self.threads = threads
    cells = (0..<configuration.numLayers).map { layer in
      configuration.directions.map {
        PackedCell(configuration, call.stateDict, layer: layer, $0, instructionSet)
      }
    }
  }

  /// - Complexity: O(B·T·L·D·G·H·(I + H)) in time, with G gates. Beside the weights, the memory
  ///   for the vectors that go into a layer and for those that come out of it.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func outputs(for input: RecurrentInput) -> RecurrentOutput {
    let (layout, outputLayout) = (input.layout, input.outputLayout)
    let size = configuration.outputFeatures
    let count = layout.batch * outputLayout.steps * size
    let hasCellState = configuration.module.recurrence.hasCellState
    let states = configuration.stateRows * layout.batch
    var h = input.h0?.elements(as: Scalar.self) ?? zeros(states * configuration.outputSize)
    var c: [Scalar] = []
    if hasCellState {
      c = input.c0?.elements(as: Scalar.self) ?? zeros(states * configuration.hiddenSize)
    }
    // Every element is written, except for padding.
    var output =
      input.packing == nil
      ? [Scalar](unsafeUninitializedCapacity: count) { $1 = count } : zeros(count)

    let schedule = BatchSchedule(input)
    // Into so many parts that every thread has one of a direction.
    let parts = schedule.parts(
      max(1, min(threads / configuration.directions.count, layout.batch)))
    input.input.withElements(as: Scalar.self) { input in
      output.withUnsafeMutableBufferPointer { output in
        h.withUnsafeMutableBufferPointer { h in
          c.withUnsafeMutableBufferPointer { c in
            guard let input = input.baseAddress, let output = output.baseAddress,
              let h = h.baseAddress
            else { return }
            run(
              VectorRows(
                start: UnsafeMutablePointer(mutating: input), size: configuration.inputSize,
                layout: layout),
              into: VectorRows(start: output, size: size, layout: outputLayout), parts,
              DirectionPass.States(h: h, c: hasCellState ? c.baseAddress : nil))
          }
        }
      }
    }
    func state(_ elements: [Scalar], features: Int) -> Tensor {
      let axes = layout.stateAxes(rows: configuration.stateRows, features: features)
      return Tensor(elements, shape: Shape(axes))
    }
    return RecurrentOutput(
      output: configuration.module.isCell
        ? nil : Tensor(output, shape: Shape(outputLayout.axes(features: size))),
      hN: state(h, features: configuration.outputSize),
      cN: hasCellState ? state(c, features: configuration.hiddenSize) : nil)
  }

  private func zeros(_ count: Int) -> [Scalar] { Array(repeating: 0, count: count) }

  /// Computes layer after layer, and the directions and parts of a layer side by side.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func run(
    _ input: VectorRows<Scalar>, into output: VectorRows<Scalar>, _ parts: [BatchSchedule],
    _ states: DirectionPass<Scalar>.States
  ) {
    let batch = output.layout.batch
    var (from, spare): (VectorRows<Scalar>, Buffer<Scalar>?) = (input, nil)
    for (layer, directions) in cells.enumerated() {
      let isLast = layer == cells.count - 1
      let count = batch * output.layout.steps * output.size
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
}
