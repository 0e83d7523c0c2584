package import TensorCore

/// One call of a recurrent module: its arguments and parameters, what is given to it, and
/// what it computes in. All of this fits together.
///
/// ```swift
/// let call = RecurrentCall(configuration, stateDict, input, in: .float32)
/// let exact = call.oracleOutputs
/// ```
///
/// It holds no result: the oracle, the engine and the replicas each make theirs of it.
package struct RecurrentCall: Sendable {
  package let configuration: RecurrentConfiguration
  package let stateDict: StateDict
  package let input: RecurrentInput
  /// What the module computes in. `stateDict` and `input` are rounded to it, and held in
  /// the type that we compute in, `arithmetic.computation`.
  package let arithmetic: Arithmetic

  /// - Parameters:
  ///   - stateDict: checked against `configuration`, as is `input`.
  package init(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, _ input: RecurrentInput,
    in arithmetic: Arithmetic
  ) {
    self.configuration = configuration
    self.stateDict = stateDict
    self.input = input
    self.arithmetic = arithmetic
  }

  /// The same call with other parameters, or on another input.
  package func with(stateDict: StateDict? = nil, input: RecurrentInput? = nil) -> RecurrentCall {
    RecurrentCall(
      configuration, stateDict ?? self.stateDict, input ?? self.input, in: arithmetic)
  }

  /// What holds of its results' layout, whatever the numbers are.
  package var contract: LayoutContract {
    LayoutContract(configuration, layout: input.outputLayout, packing: input.packing)
  }

  /// What the specification gives, in doubles.
  ///
  /// - Complexity: as `Oracle`.
  package var oracleOutputs: RecurrentOutput { Oracle(self).outputs(for: input) }

  /// The multiplications of one forward pass, and what weighs as much: an activation as
  /// thirty.
  package var work: Double {
    let steps = (0..<input.layout.batch).reduce(0) { $0 + input.length(of: $1) }
    return Double(steps) * configuration.workOfStep
  }
}

extension RecurrentConfiguration {
  /// The elements of all weight matrices, which are the multiplications of one step of one
  /// sequence.
  package var weightCount: Int {
    parameters.filter { $0.shape.rank == 2 }.reduce(0) { $0 + $1.shape.elementCount }
  }

  /// The multiplications of one step of one sequence, and what weighs as much: an activation
  /// as thirty.
  package var workOfStep: Double {
    Double(weightCount + 30 * stateRows * hiddenSize * module.recurrence.gates.count)
  }
}

// MARK: - Parts of a batch

extension RecurrentCall {
  /// The same call on some sequences of the batch.
  package func selecting(sequences: [Int]) -> RecurrentCall {
    with(input: input.selecting(sequences: sequences))
  }
}

extension RecurrentInput {
  /// Some sequences of the batch as a batch of their own, in the given order; each as long as
  /// before, and its output padded to as many steps.
  ///
  /// - Complexity: O(elements that are taken).
  package func selecting(sequences: [Int]) -> RecurrentInput {
    let packing = packing.map { packing in
      Packing(lengths: sequences.map { packing.lengths[$0] }, totalLength: packing.outputSteps)
    }
    return RecurrentInput(
      input: layout.selecting(sequences: sequences, of: input),
      h0: h0.map { layout.selecting(sequences: sequences, ofState: $0) },
      c0: c0.map { layout.selecting(sequences: sequences, ofState: $0) }, packing: packing,
      layout: layout.with(steps: layout.steps, batch: sequences.count))
  }

  /// Some steps of all sequences, which are not packed, from the state that the steps before
  /// have led to.
  ///
  /// - Parameter previous: what the steps before gave; nil for the first steps, which start
  ///   from the initial states.
  /// - Complexity: O(elements that are taken).
  package func selecting(steps: Range<Int>, from previous: RecurrentOutput?) -> RecurrentInput {
    precondition(packing == nil, "the steps of packed sequences are not the same for all")
    return RecurrentInput(
      input: layout.selecting(steps: steps, of: input), h0: previous?.hN ?? h0,
      c0: previous == nil ? c0 : previous?.cN, packing: nil,
      layout: layout.with(steps: steps.count))
  }
}

extension RecurrentOutput {
  /// What the outputs of a batch say of some of its sequences.
  ///
  /// - Parameter layout: of `output`.
  /// - Complexity: O(elements that are taken).
  package func selecting(sequences: [Int], _ layout: SequenceLayout) -> RecurrentOutput {
    RecurrentOutput(
      output: output.map { layout.selecting(sequences: sequences, of: $0) },
      hN: layout.selecting(sequences: sequences, ofState: hN),
      cN: cN.map { layout.selecting(sequences: sequences, ofState: $0) })
  }
}

extension SequenceLayout {
  /// Of a tensor of sequences; nil where there is no batch, but one sequence.
  package var batchAxis: Int? { isBatched ? isCell || batchFirst ? 0 : 1 : nil }

  /// Of a state; nil where there is no batch, but one sequence.
  package var stateBatchAxis: Int? { isBatched ? isCell ? 0 : 1 : nil }

  /// Of a tensor of sequences; nil in a cell, which has one step.
  package var stepAxis: Int? { isCell ? nil : isBatched && batchFirst ? 1 : 0 }

  package func selecting(sequences: [Int], of tensor: Tensor) -> Tensor {
    batchAxis.map { tensor.selecting(sequences, along: $0) } ?? tensor
  }

  package func selecting(sequences: [Int], ofState state: Tensor) -> Tensor {
    stateBatchAxis.map { state.selecting(sequences, along: $0) } ?? state
  }

  package func selecting(steps: Range<Int>, of tensor: Tensor) -> Tensor {
    stepAxis.map { tensor.selecting(Array(steps), along: $0) } ?? tensor
  }
}
