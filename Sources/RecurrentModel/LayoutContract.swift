package import TensorCore

/// How the elements of `output` and `h_n` hang together in what PyTorch returns, whatever the
/// weights are.
///
/// With D directions, P = `proj_size` or H, last layer l, and len_b the length of sequence b:
/// ```
/// output[b, len_b − 1, :P] == h_n[D·l + 0, b]
/// output[b, 0, P:]         == h_n[D·l + 1, b]      bidirectional
/// output[b, t, :]          == 0 for t ≥ len_b      packed
/// ```
/// Source: PyTorch's documentation of `LSTM`, "Outputs", and of `pad_packed_sequence`.
///
/// ```swift
/// let contract = try LayoutContract.inferred(
///   output: output.shape, hN: hN.shape, lengths: nil, batchFirst: true, hiddenSize: nil)
/// for identity in contract.identities {
///   print(identity.statement)  // output[:, -1, :6] == h_n[0]
/// }
/// ```
///
/// It states the identities and finds their elements; whether two tensors keep them is for
/// `LayoutJudge` to say. Nothing in it tells whether the numbers themselves are right.
package struct LayoutContract: Sendable, Equatable {
  /// The layout of `output`, whose steps are those that it is padded to.
  package let layout: SequenceLayout
  /// The length of each sequence; nil when not packed.
  package let lengths: [Int]?
  /// D, the number of directions.
  package let directions: Int
  /// L, the number of layers.
  package let layers: Int
  /// P, the size of one direction's vector in `output`.
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

  /// The contract of a module with this configuration.
  ///
  /// - Parameter layout: of `output`.
  package init(
    _ configuration: RecurrentConfiguration, layout: SequenceLayout, packing: Packing?
  ) {
    self.init(
      layout: layout, lengths: packing?.lengths, directions: configuration.directions.count,
      layers: configuration.numLayers, outputSize: configuration.outputSize)
  }

  /// Whether tensors of these shapes have the elements that the identities speak of.
  package func fits(output: Shape, hN: Shape) -> Bool {
    output.axes == layout.axes(features: directions * outputSize)
      && hN.axes == layout.stateAxes(rows: directions * layers, features: outputSize)
  }

  /// The number of steps of a sequence, without its padding.
  package func length(of sequence: Int) -> Int { lengths?[sequence] ?? layout.steps }

  /// The identities that these tensors must keep: the forward direction's, the reverse
  /// direction's where there is one, and the padding's where the batch is packed. A cell has
  /// none, since it has no `output`.
  ///
  /// - Complexity: O(B·D·P), and O(B·T·D·P) where the batch is packed.
  package var identities: [LayoutIdentity] {
    if layout.isCell { return [] }
    var all = [identity(.forward, under: .asDocumented)]
    if directions == 2 { all.append(identity(.reverse, under: .asDocumented)) }
    if lengths != nil { all.append(padding) }
    return all
  }

  /// The identity of one direction, as somebody would state it who looks for the last layer's
  /// state where `reading` does.
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

  /// The identity of the padding: the steps behind a sequence's end are zero.
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

/// One identity of the contract: some elements of `output`, and what each of them equals, an
/// element of `h_n` or zero.
package struct LayoutIdentity: Sendable, Equatable {
  /// The identity as code, for people to read: `output[:, -1, :6] == h_n[0]`.
  package let statement: String
  /// The direction whose states are compared; nil for the identity of the padding.
  package let direction: Direction?
  /// The elements of `output` that the identity is about, as row-major offsets.
  package let outputOffsets: [Int]
  /// For each of these elements, the offset of the element of `h_n` that it equals; nil where
  /// they all equal 0.
  package let stateOffsets: [Int]?

  /// The same with the names that the tensors have as results of a chain's module:
  /// `bilstm.output[:, -1, :6] == bilstm.h_n[0]`.
  package func statement(in module: String) -> String {
    module.isEmpty
      ? statement
      : "\(module)." + statement.replacing("== h_n", with: "== \(module).h_n")
  }

  /// Both sides of the identity, taken from these two tensors, each with one axis.
  ///
  /// - Complexity: O(elements that the identity is about).
  package func sides(output: Tensor, hN: Tensor) -> (output: Tensor, state: Tensor) {
    let shape: Shape = [outputOffsets.count]
    let left = output.gathering(outputOffsets, shape: shape)
    if let stateOffsets { return (left, hN.gathering(stateOffsets, shape: shape)) }
    let zeros = [Double](repeating: 0, count: outputOffsets.count)
    return (left, Tensor(zeros, shape: shape))
  }
}
