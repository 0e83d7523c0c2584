package import TensorCore

/// One call of a recurrent module: the module's arguments and parameters, what is given to it,
/// and what it computes in, all of which fit together.
///
/// ```swift
/// let configuration = try RecurrentConfiguration(module: .lstm, inputSize: 5, hiddenSize: 6)
/// let call = RecurrentCall(
///   configuration, try StateDict(tensors, checkedAgainst: configuration),
///   try RecurrentInput(input: input, for: configuration), in: .float32)
/// let exact = call.oracleOutputs
/// ```
///
/// It holds no results: the oracle, the engine and the replicas each compute theirs from it.
/// Several modules one behind the other are a `Chain`.
package struct RecurrentCall: Sendable {
  package let configuration: RecurrentConfiguration
  package let stateDict: StateDict
  package let input: RecurrentInput
  /// What the module computes in. Whoever makes a call has rounded `stateDict` and `input` to it
  /// already, and stores them in the type in which we compute, `arithmetic.computation`: those of
  /// a bfloat16 module are float32 tensors whose numbers all fit bfloat16.
  package let arithmetic: Arithmetic

  /// - Parameters:
  ///   - configuration: the module's arguments.
  ///   - stateDict: checked against `configuration`.
  ///   - input: checked against `configuration`.
  ///   - arithmetic: what the module computes in.
  package init(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, _ input: RecurrentInput,
    in arithmetic: Arithmetic
  ) {
    self.configuration = configuration
    self.stateDict = stateDict
    self.input = input
    self.arithmetic = arithmetic
  }

  /// The same call with other parameters, another input or another arithmetic; what is nil stays.
  package func with(
    stateDict: StateDict? = nil, input: RecurrentInput? = nil, arithmetic: Arithmetic? = nil
  ) -> RecurrentCall {
    RecurrentCall(
      configuration, stateDict ?? self.stateDict, input ?? self.input,
      in: arithmetic ?? self.arithmetic)
  }

  /// The layout contract that the results of this call keep.
  package var contract: LayoutContract {
    LayoutContract(configuration, layout: input.outputLayout, packing: input.packing)
  }

  /// What the oracle computes, in doubles.
  ///
  /// - Complexity: as `Oracle`; it is computed anew at each access.
  package var oracleOutputs: RecurrentOutput { Oracle(self).outputs(for: input) }

  /// What one forward pass costs, counted in multiplications; an activation is counted as thirty.
  package var work: Double {
    let steps = (0..<input.layout.batch).reduce(0) { $0 + input.length(of: $1) }
    return Double(steps) * configuration.workOfStep
  }
}

extension RecurrentConfiguration {
  /// How many elements all weight matrices have together, which is how many multiplications one
  /// step of one sequence takes.
  package var weightCount: Int {
    parameters.filter { $0.shape.rank == 2 }.reduce(0) { $0 + $1.shape.elementCount }
  }

  /// What one step of one sequence costs, counted in multiplications; an activation is counted as
  /// thirty.
  package var workOfStep: Double {
    Double(weightCount + 30 * stateRows * hiddenSize * module.recurrence.gates.count)
  }
}

// MARK: - Parts of a batch

extension RecurrentCall {
  /// The same call on some sequences of its batch, in the given order.
  ///
  /// - Complexity: O(elements of the input that are taken).
  package func selecting(sequences: [Int]) -> RecurrentCall {
    with(input: input.selecting(sequences: sequences))
  }
}

extension RecurrentInput {
  /// Some sequences of the batch as a batch of their own, in the given order. Each keeps its
  /// length, and its output is padded to as many steps as before.
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

  /// The first steps of all sequences: of each as many as it has, and at most `steps`.
  ///
  /// - Complexity: O(elements that are taken).
  package func beginning(steps: Int) -> RecurrentInput {
    let own = min(steps, layout.steps)
    return RecurrentInput(
      input: layout.selecting(steps: 0..<own, of: input), h0: h0, c0: c0,
      packing: packing?.beginning(steps: own),
      layout: layout.with(steps: own))
  }

  /// Some steps of all sequences, which start from the state that the steps before them have led
  /// to. The batch must not be packed.
  ///
  /// - Parameter previous: what the steps before gave; nil for the first steps, which start from
  ///   the initial states.
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
  /// The part of these results that belongs to some sequences of the batch, in the given order.
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
  /// The axis along which the sequences of the batch stand in a tensor of sequences; nil where
  /// the tensor has no batch axis, but holds one sequence.
  package var batchAxis: Int? { isBatched ? isCell || batchFirst ? 0 : 1 : nil }

  /// The axis along which the sequences of the batch stand in a state; nil where the state has no
  /// batch axis, but belongs to one sequence.
  package var stateBatchAxis: Int? { isBatched ? isCell ? 0 : 1 : nil }

  /// The axis along which the steps stand in a tensor of sequences; nil in a cell, whose tensors
  /// have no such axis.
  package var stepAxis: Int? { isCell ? nil : isBatched && batchFirst ? 1 : 0 }

  /// The part of a tensor of sequences that belongs to some sequences of the batch; the tensor
  /// itself where it has no batch axis.
  package func selecting(sequences: [Int], of tensor: Tensor) -> Tensor {
    batchAxis.map { tensor.selecting(sequences, along: $0) } ?? tensor
  }

  /// The part of a state that belongs to some sequences of the batch; the state itself where it
  /// has no batch axis.
  package func selecting(sequences: [Int], ofState state: Tensor) -> Tensor {
    stateBatchAxis.map { state.selecting(sequences, along: $0) } ?? state
  }

  /// The part of a tensor of sequences that belongs to some steps; the tensor itself in a cell.
  package func selecting(steps: Range<Int>, of tensor: Tensor) -> Tensor {
    stepAxis.map { tensor.selecting(Array(steps), along: $0) } ?? tensor
  }
}
