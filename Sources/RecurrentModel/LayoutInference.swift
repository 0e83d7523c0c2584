package import TensorCore

extension LayoutContract {
  /// The contract of two bare tensors, of whose module nothing is known but what their shapes
  /// tell.
  ///
  /// - Parameters:
  ///   - output: (B, T, D·P), (T, B, D·P) or (T, D·P).
  ///   - hN: (D·L, B, P) or (D·L, P).
  ///   - lengths: the length of each sequence; nil when not packed.
  ///   - batchFirst: nil where it is not known: then the order of axes is taken under which the
  ///     batch of `output` is as large as that of `hN`, and PyTorch's default, false, where both
  ///     orders fit.
  ///   - hiddenSize: P, where the user states it.
  /// - Throws: `InvalidValue` where no module gives tensors of these two shapes; it says so where
  ///   one does with the first two axes of `hN` exchanged.
  package static func inferred(
    output: Shape, hN: Shape, lengths: [Int]?, batchFirst: Bool?, hiddenSize: Int?
  ) throws(InvalidValue) -> LayoutContract {
    func contract(_ hN: Shape) throws(InvalidValue) -> LayoutContract {
      try inferred(
        ofPyTorchs: output, hN: hN, lengths: lengths, batchFirst: batchFirst,
        hiddenSize: hiddenSize)
    }
    do {
      return try contract(hN)
    } catch {
      guard hN.rank == 3 else { throw error }
      let exchanged = Shape([hN.axes[1], hN.axes[0], hN.axes[2]])
      guard (try? contract(exchanged)) != nil else { throw error }
      throw InvalidValue(
        "h_n", expected: "(D·L, B, H), here \(exchanged)", found: "\(hN)",
        remedy: "h_n seems to be (B, D·L, H): batch_first never changes it; "
          + "h_n.transpose(1, 0, 2)")
    }
  }

  /// The same, with the axes of `hN` as they stand.
  private static func inferred(
    ofPyTorchs output: Shape, hN: Shape, lengths: [Int]?, batchFirst: Bool?, hiddenSize: Int?
  ) throws(InvalidValue) -> LayoutContract {
    guard output.rank == 2 || output.rank == 3 else {
      throw InvalidValue("output", expected: "two or three axes", found: "\(output)")
    }
    guard hN.rank == output.rank else {
      throw InvalidValue("h_n", expected: "\(output.rank) axes, as output", found: "\(hN)")
    }
    let size = hN.axes[hN.rank - 1]
    if let hiddenSize, hiddenSize != size {
      throw InvalidValue("h_n", expected: "a last axis of size \(hiddenSize)", found: "\(hN)")
    }
    let features = output.axes[output.rank - 1]
    // Divided, not multiplied: a size that a file states can be near Int.max.
    guard size > 0, features % size == 0, 1...2 ~= features / size else {
      throw InvalidValue(
        "output", expected: "a last axis as long as that of h_n \(hN), or twice as long",
        found: "\(output)")
    }
    let directions = features / size
    guard hN.axes[0] > 0, hN.axes[0] % directions == 0 else {
      throw InvalidValue(
        "h_n", expected: "a first axis of \(directions) rows for each layer", found: "\(hN)")
    }
    let layout = try layout(output, hN, batchFirst)
    try lengths.map { Packing(lengths: $0, totalLength: layout.steps) }?.check(against: layout)
    return LayoutContract(
      layout: layout, lengths: lengths, directions: directions,
      layers: hN.axes[0] / directions, outputSize: size)
  }

  /// The first reading of the axes under which the batch of `output` is as large as that of `hN`.
  private static func layout(
    _ output: Shape, _ hN: Shape, _ batchFirst: Bool?
  ) throws(InvalidValue) -> SequenceLayout {
    let readings = batchFirst.map { [$0] } ?? [false, true]
    for reading in readings {
      guard let layout = SequenceLayout(ofSequences: output, batchFirst: reading) else { continue }
      if layout.isBatched, layout.batch != hN.axes[1] { continue }
      guard layout.steps > 0 else {
        throw InvalidValue("output", expected: "at least one step", found: "\(output)")
      }
      return layout
    }
    let axes = readings.map { $0 ? "first" : "second" }.joined(separator: " or ")
    throw InvalidValue(
      "output", expected: "a batch of \(hN.axes[1]) on its \(axes) axis, for h_n \(hN)",
      found: "\(output)")
  }
}
