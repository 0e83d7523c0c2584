import TensorCore

/// Along which axis of each tensor of a chain the sequences of its batch stand.
///
/// A chain has one only where its modules keep the sequences apart, so that each sequence gives
/// the same results alone as among the others. A softmax over the batch axis, say, mixes them.
package struct ChainBatch: Sendable, Equatable {
  /// How many sequences there are.
  package let size: Int
  /// The axis of the chain's input: 0 where it is (B, T, I), 1 where it is (T, B, I).
  package let inputAxis: Int
  /// The axis of each result, by the result's name: `axes["bilstm.h_n"]` is 1.
  package let axes: [String: Int]
}

extension Chain {
  /// The same chain on some sequences of its batch, in the given order.
  ///
  /// - Returns: nil where there is no batch, where no module is recurrent, and where a module
  ///   mixes the sequences.
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
      packing: packing, chunks: input.chunks)
    guard let chain = try? Chain(modules, input: part, in: arithmetic, activations) else {
      preconditionFailure("part of a checked batch fits the modules too")
    }
    return chain
  }
}

extension Chain {
  /// For each sequence of the batch, the first that has the same input, initial states and length;
  /// nil where there is no batch.
  ///
  /// - Complexity: O(elements of the input), unless many sequences begin alike.
  package var sequenceTwins: [Int]? {
    guard let batch = shapes.batch, batch.size > 1 else { return nil }
    let parts = (0..<batch.size).map { sequence in
      let part = selecting(sequences: [sequence])
      return [part?.input.tensor, part?.input.h0, part?.input.c0].map {
        $0?.elements(as: Double.self) ?? []
      } + [[Double(input.packing?.lengths[sequence] ?? 0)]]
    }
    // By a few numbers first, since most sequences differ in these.
    var first: [[Double]: [Int]] = [:]
    return parts.enumerated().map { place, part in
      let key = part.flatMap { $0.prefix(4) }
      if let twin = first[key]?.first(where: { parts[$0] == part }) { return twin }
      first[key, default: []].append(place)
      return place
    }
  }

  /// The same chain on the first steps of each sequence.
  ///
  /// - Returns: nil where no module is recurrent or has steps, and where a module needs as many
  ///   steps as there are.
  /// - Complexity: O(elements of the input that are taken).
  package func beginning(steps: Int) -> Chain? {
    guard let first = firstRecurrent, let layout = shapes.stages[first].layout,
      let axis = layout.stepAxis
    else { return nil }
    let own = min(steps, layout.steps)
    let part = ChainInput(
      input.tensor.selecting(Array(0..<own), along: axis), h0: input.h0, c0: input.c0,
      packing: input.packing?.beginning(steps: own))
    return try? Chain(modules, input: part, in: arithmetic, activations)
  }
}

extension Results {
  /// The part of these results that belongs to some sequences of the batch.
  ///
  /// - Complexity: O(elements that are taken).
  package func selecting(sequences: [Int], _ batch: ChainBatch) -> Results {
    mapping { name, tensor in
      batch.axes[name].map { tensor.selecting(sequences, along: $0) } ?? tensor
    }
  }

  /// How far each sequence is off: Σ|actual − expected| over the elements of all of its results.
  /// An element that is not finite counts as 1 where the other is not the same, and as 0 where it
  /// is.
  ///
  /// - Parameter expected: results of the same shapes; a name that it lacks is passed over.
  /// - Returns: one sum for each sequence.
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
