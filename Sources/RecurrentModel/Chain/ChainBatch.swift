import TensorCore

/// Where the sequences of a chain's batch stand in its tensors, of which each gives the same
/// alone as among the others.
package struct ChainBatch: Sendable, Equatable {
  /// How many sequences there are.
  package let size: Int
  package let inputAxis: Int
  /// By the names of the results.
  package let axes: [String: Int]
}

extension Chain {
  /// The same chain on some sequences of its batch, in the given order; nil where there is no
  /// batch, or where the modules mix its sequences.
  ///
  /// - Complexity: O(elements of the input that are taken).
  package func selecting(sequences: [Int]) -> Chain? {
    guard let batch = shapes.batch, let first = firstRecurrent,
      let layout = shapes.stages[first].layout
    else { return nil }
    let packing = input.packing.map { packing in
      Packing(lengths: sequences.map { packing.lengths[$0] }, totalLength: packing.outputSteps)
    }
    let part = ChainInput(
      input.tensor.selecting(sequences, along: batch.inputAxis),
      h0: input.h0.map { layout.selecting(sequences: sequences, ofState: $0) },
      c0: input.c0.map { layout.selecting(sequences: sequences, ofState: $0) },
      packing: packing)
    guard let chain = try? Chain(modules, input: part, in: arithmetic) else {
      preconditionFailure("part of a checked batch fits the modules too")
    }
    return chain
  }
}

extension Results {
  /// What they say of some sequences of the batch.
  ///
  /// - Complexity: O(elements that are taken).
  package func selecting(sequences: [Int], _ batch: ChainBatch) -> Results {
    mapping { name, tensor in
      batch.axes[name].map { tensor.selecting(sequences, along: $0) } ?? tensor
    }
  }

  /// Σ|actual − expected| over all results of each sequence; an element that is not finite on
  /// one side only, or not the same, counts as 1.
  ///
  /// - Parameter expected: of the same shapes, as far as it has these results.
  /// - Complexity: O(elements).
  package func differences(from expected: Results, _ batch: ChainBatch) -> [Double] {
    var totals = [Double](repeating: 0, count: batch.size)
    for (name, actual) in named {
      guard let exact = expected[name], let axis = batch.axes[name] else { continue }
      let inner = actual.shape.axes[(axis + 1)...].reduce(1, *)
      for offset in 0..<actual.count {
        let (own, right) = (actual.double(at: offset), exact.double(at: offset))
        let difference = abs(own - right)
        let isSame = own == right || own.isNaN && right.isNaN
        totals[offset / inner % batch.size] += difference.isFinite ? difference : isSame ? 0 : 1
      }
    }
    return totals
  }
}
