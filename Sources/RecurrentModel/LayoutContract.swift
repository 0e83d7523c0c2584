package import TensorCore

/// How `output` and `h_n` hang together, whatever the weights are.
///
/// With D directions, P = `proj_size` or H, last layer l, and len_b the length of
/// sequence b:
/// ```
/// output[b, len_b − 1, :P] == h_n[D·l + 0, b]
/// output[b, 0, P:]         == h_n[D·l + 1, b]      bidirectional
/// output[b, t, :]          == 0 for t ≥ len_b      packed
/// ```
/// Source: PyTorch's documentation of `LSTM`, "Outputs", and of
/// `pad_packed_sequence`.
package struct LayoutContract: Sendable, Equatable {
  /// Of `output`.
  package let layout: SequenceLayout
  /// One a sequence; nil when not packed.
  package let lengths: [Int]?
  /// D.
  package let directions: Int
  /// L.
  package let layers: Int
  /// P.
  package let outputSize: Int

  package init(
    layout: SequenceLayout, lengths: [Int]?, directions: Int, layers: Int, outputSize: Int
  ) {
    self.layout = layout
    self.lengths = lengths
    self.directions = directions
    self.layers = layers
    self.outputSize = outputSize
  }

  package init(
    _ configuration: RecurrentConfiguration, layout: SequenceLayout, packing: Packing?
  ) {
    self.init(
      layout: layout, lengths: packing?.lengths, directions: configuration.directions.count,
      layers: configuration.numLayers, outputSize: configuration.outputSize)
  }

  /// Whether tensors of these shapes can be held to it.
  package func fits(output: Shape, hN: Shape) -> Bool {
    output.axes == layout.axes(features: directions * outputSize)
      && hN.axes == layout.stateAxes(rows: directions * layers, features: outputSize)
  }

  package func length(of sequence: Int) -> Int { lengths?[sequence] ?? layout.steps }

  /// The identities that hold for these tensors, in the order above; none for a
  /// cell, which has no `output`. O(B·T·D·P).
  package var identities: [LayoutIdentity] {
    if layout.isCell { return [] }
    var all = [identity(.forward, under: .asDocumented)]
    if directions == 2 { all.append(identity(.reverse, under: .asDocumented)) }
    if lengths != nil { all.append(padding) }
    return all
  }

  /// The state of one direction's last layer, where `reading` looks for it.
  func identity(_ direction: Direction, under reading: LayoutReading) -> LayoutIdentity {
    var outputOffsets: [Int] = []
    var stateOffsets: [Int] = []
    let half = reading.half(direction)
    let row = reading.row(direction, self)
    for sequence in 0..<layout.batch {
      let step = reading.step(direction, sequence, self)
      let vector = layout.row(sequence: sequence, step: step)
      let outputStart = (vector * directions + half) * outputSize
      let stateStart = (row * layout.batch + sequence) * outputSize
      outputOffsets += outputStart..<outputStart + outputSize
      stateOffsets += stateStart..<stateStart + outputSize
    }
    return LayoutIdentity(
      statement: statement(direction), direction: direction, outputOffsets: outputOffsets,
      stateOffsets: stateOffsets)
  }

  private var padding: LayoutIdentity {
    var offsets: [Int] = []
    let features = directions * outputSize
    for sequence in 0..<layout.batch {
      for step in length(of: sequence)..<layout.steps {
        let start = layout.row(sequence: sequence, step: step) * features
        offsets += start..<start + features
      }
    }
    return LayoutIdentity(
      statement: "output[\(layout.batchFirst ? "b, lengths[b]:" : "lengths[b]:, b")] == 0",
      direction: nil, outputOffsets: offsets, stateOffsets: nil)
  }

  /// The identity as a user of PyTorch would type it.
  private func statement(_ direction: Direction) -> String {
    let isRagged = lengths != nil
    let step = direction == .reverse ? "0" : isRagged ? "lengths[b]-1" : "-1"
    let sequence = isRagged && direction == .forward ? "b" : ":"
    let features =
      directions == 1 ? ":" : direction == .forward ? ":\(outputSize)" : "\(outputSize):"
    let index =
      layout.isBatched
      ? layout.batchFirst ? [sequence, step, features] : [step, sequence, features]
      : [step, features]
    let row = directions * (layers - 1) + direction.rawValue
    let state = sequence == "b" ? "h_n[\(row), b]" : "h_n[\(row)]"
    return "output[\(index.joined(separator: ", "))] == \(state)"
  }
}

/// One identity of the contract: elements of `output`, and what each equals.
package struct LayoutIdentity: Sendable, Equatable {
  /// As code, for people.
  package let statement: String

  /// The same with the names that the tensors of a chain's module have:
  /// `bilstm.output[:, -1, :6] == bilstm.h_n[0]`.
  package func statement(in module: String) -> String {
    module.isEmpty
      ? statement
      : "\(module)." + statement.replacing("== h_n", with: "== \(module).h_n")
  }
  /// nil for the padding.
  package let direction: Direction?
  /// Row-major offsets into `output`.
  package let outputOffsets: [Int]
  /// The offset into `h_n` of each element's equal; nil where it is 0.
  package let stateOffsets: [Int]?

  /// The two sides as tensors of one axis.
  package func sides(output: Tensor, hN: Tensor) -> (output: Tensor, state: Tensor) {
    let shape: Shape = [outputOffsets.count]
    let left = output.gathering(outputOffsets, shape: shape)
    if let stateOffsets { return (left, hN.gathering(stateOffsets, shape: shape)) }
    let zeros = [Double](repeating: 0, count: outputOffsets.count)
    return (left, Tensor(zeros, shape: shape))
  }
}
