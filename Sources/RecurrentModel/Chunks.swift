package import TensorCore

/// How the steps of all sequences are cut into chunks: a stream is run on one chunk after the
/// other, and each starts from the states that the one before it ended with.
///
/// ```swift
/// let chunks = Chunks([4, 4, 2])
/// chunks.steps              // [0..<4, 4..<8, 8..<10]
/// chunks.index(ofStep: 4)   // 1
/// ```
///
/// The right results do not depend on it, since a module of one direction can be stopped after
/// any step. What a wrong implementation gives does.
package struct Chunks: Sendable, Equatable {
  /// The steps of each chunk, in order.
  package let steps: [Range<Int>]

  /// - Parameter sizes: the number of steps of each chunk, each at least 1; at least one chunk.
  package init(_ sizes: [Int]) {
    precondition(!sizes.isEmpty && sizes.allSatisfy { $0 > 0 }, "a chunk has at least one step")
    var steps: [Range<Int>] = []
    for size in sizes {
      let start = steps.last?.upperBound ?? 0
      steps.append(start..<start + size)
    }
    self.steps = steps
  }

  /// The number of steps of each chunk.
  package var sizes: [Int] { steps.map(\.count) }

  package var count: Int { steps.count }

  /// The chunk, counted from 0, that a step belongs to; nil for a step behind the last chunk.
  package func index(ofStep step: Int) -> Int? { steps.firstIndex { $0.contains(step) } }

  /// What a chunk is called in reports, counted from 1: "chunk 2 of 3".
  ///
  /// - Parameter index: counted from 0.
  package func name(_ index: Int) -> String { "chunk \(index + 1) of \(count)" }
}

extension ForwardPass {
  /// Runs the pass on one chunk after the other, each from the states that the one before it
  /// ended with.
  ///
  /// - Parameter input: of one direction, not packed, of as many steps as the chunks have.
  /// - Returns: the `output` of all steps and the states after the last.
  /// - Complexity: O(one forward pass).
  package func outputs(for input: RecurrentInput, in chunks: Chunks) -> RecurrentOutput {
    var parts: [RecurrentOutput] = []
    for steps in chunks.steps {
      parts.append(outputs(for: input.selecting(steps: steps, from: parts.last)))
    }
    guard let last = parts.last else { preconditionFailure("there is at least one chunk") }
    return last.with(output: input.layout.joining(steps: parts.compactMap(\.output)))
  }
}

extension SequenceLayout {
  /// The tensor of sequences that consecutive parts of its steps make together; nil where there
  /// is no part.
  ///
  /// - Parameter parts: of one element type, and of one shape but for the number of steps.
  /// - Complexity: O(elements).
  package func joining(steps parts: [Tensor]) -> Tensor? {
    guard let axis = stepAxis, let first = parts.first else { return nil }
    guard parts.count > 1 else { return first }
    let outer = first.shape.axes[..<axis].reduce(1, *)
    let inner = first.shape.axes[(axis + 1)...].reduce(1, *)
    let all = Tensor(concatenating: parts)
    var starts: [Int] = []
    for block in 0..<outer {
      var behind = 0
      for part in parts {
        let size = part.shape.axes[axis]
        starts += (0..<size).map { behind + (block * size + $0) * inner }
        behind += part.count
      }
    }
    var axes = first.shape.axes
    axes[axis] = parts.reduce(0) { $0 + $1.shape.axes[axis] }
    return all.gathering(blocksOf: inner, at: starts, shape: Shape(axes))
  }
}

extension Chain {
  /// The chain on one chunk of its steps, as a stream is called on it. It is not cut further.
  ///
  /// - Parameters:
  ///   - steps: the chunk's.
  ///   - h0: what the chunk before ended with, of the shape of the case's own; nil for zeros.
  ///   - c0: the same of the cell state.
  /// - Throws: `InvalidValue` where the states do not fit the module.
  /// - Complexity: O(elements that are taken).
  package func chunk(_ steps: Range<Int>, h0: Tensor?, c0: Tensor?) throws(InvalidValue) -> Chain {
    guard let layout = shapes.stages[0].layout else {
      preconditionFailure("chunks are of one recurrent module")
    }
    return try Chain(
      modules,
      input: ChainInput(layout.selecting(steps: steps, of: input.tensor), h0: h0, c0: c0),
      in: arithmetic, activations)
  }
}
