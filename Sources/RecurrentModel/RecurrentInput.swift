package import TensorCore

/// What is given to a module's `forward`, known to fit the module's configuration.
///
/// ```swift
/// let input = try RecurrentInput(
///   input: batch, packing: Packing(lengths: [4, 2, 3]), for: configuration)
/// input.length(of: 1)  // 2
/// ```
package struct RecurrentInput: Sendable {
  /// (B, T, I), (T, B, I) or (T, I), for a cell (B, I) or (I); `layout` says which.
  package let input: Tensor
  /// The initial hidden state, (D·L, B, P), without a batch (D·L, P), for a cell (B, H) or (H);
  /// nil where the module starts from zeros.
  package let h0: Tensor?
  /// The initial cell state, (D·L, B, H), without a batch (D·L, H), for a cell (B, H) or (H); nil
  /// where the module starts from zeros, and where it has no cell state.
  package let c0: Tensor?
  /// How many steps each sequence has; nil where the batch is not packed.
  package let packing: Packing?

  /// The layout of `input`.
  package let layout: SequenceLayout

  /// - Throws: `InvalidValue`, naming the tensor, where one contradicts the configuration or
  ///   another tensor.
  package init(
    input: Tensor, h0: Tensor? = nil, c0: Tensor? = nil, packing: Packing? = nil,
    for configuration: RecurrentConfiguration
  ) throws(InvalidValue) {
    let module = configuration.module
    let layout = SequenceLayout(
      ofSequences: input.shape, batchFirst: configuration.batchFirst, isCell: module.isCell)
    guard let layout, input.shape.axes.last == configuration.inputSize else {
      let rank = module.isCell ? "one or two" : "two or three"
      throw InvalidValue(
        "inputs/input", expected: "\(rank) axes, the last of size \(configuration.inputSize)",
        found: "\(input.shape)")
    }
    guard input.elementType.isFloatingPoint else {
      throw InvalidValue("inputs/input", expected: "floats", found: "\(input.elementType)")
    }
    guard layout.steps > 0 else {
      throw InvalidValue("inputs/input", expected: "at least one step", found: "\(input.shape)")
    }
    for (name, state) in [("inputs/h_0", h0), ("inputs/c_0", c0)] {
      if let state, state.elementType != input.elementType {
        throw InvalidValue(
          name, expected: "\(input.elementType), as inputs/input", found: "\(state.elementType)")
      }
    }
    try Self.check(h0: h0, c0: c0, packing: packing, layout, configuration)
    self.input = input
    self.h0 = h0
    self.c0 = c0
    self.packing = packing
    self.layout = layout
  }

  /// Takes parts that are known to fit the configuration, and checks nothing.
  init(input: Tensor, h0: Tensor?, c0: Tensor?, packing: Packing?, layout: SequenceLayout) {
    self.input = input
    self.h0 = h0
    self.c0 = c0
    self.packing = packing
    self.layout = layout
  }

  /// Checks that the initial states and the lengths fit the layout of the input. Only shapes and
  /// lengths are looked at.
  ///
  /// - Throws: `InvalidValue`, naming the tensor, where one contradicts the configuration or
  ///   another tensor.
  static func check(
    h0: Tensor?, c0: Tensor?, packing: Packing?, _ layout: SequenceLayout,
    _ configuration: RecurrentConfiguration
  ) throws(InvalidValue) {
    let (module, rows) = (configuration.module, configuration.stateRows)
    for (name, state, features) in [
      ("inputs/h_0", h0, configuration.outputSize), ("inputs/c_0", c0, configuration.hiddenSize),
    ] {
      let axes = layout.stateAxes(rows: rows, features: features)
      if let state, state.shape.axes != axes {
        throw InvalidValue(
          name, expected: "the shape \(Shape.text(axes))", found: "\(state.shape)")
      }
    }
    if module.recurrence.hasCellState {
      // PyTorch takes the pair or none.
      guard (h0 == nil) == (c0 == nil) else {
        throw InvalidValue(
          h0 == nil ? "inputs/h_0" : "inputs/c_0", expected: "both or neither of h_0 and c_0",
          found: "one")
      }
    } else if c0 != nil {
      throw InvalidValue(
        "inputs/c_0", expected: "none, for \(module.rawValue)", found: "one")
    }
    try packing?.check(against: layout)
  }

  /// The number of steps of a sequence, without its padding.
  package func length(of sequence: Int) -> Int { packing?.lengths[sequence] ?? layout.steps }

  /// The layout of `output`. Where the batch is packed, `output` has as many steps as the longest
  /// sequence, or as many as `total_length` states.
  package var outputLayout: SequenceLayout {
    layout.with(steps: packing?.outputSteps ?? layout.steps)
  }
}

/// The lengths of the sequences of a padded batch, as `pack_padded_sequence` takes them, and how
/// `pad_packed_sequence` gives the batch back.
package struct Packing: Sendable, Equatable {
  /// The length of each sequence, at least 1.
  package let lengths: [Int]
  /// `pack_padded_sequence`'s `enforce_sorted`: whether the lengths must not rise from one
  /// sequence to the next.
  package let enforceSorted: Bool
  /// `pad_packed_sequence`'s `total_length`: the number of steps that `output` is padded to; nil
  /// for as many as the longest sequence has.
  package let totalLength: Int?

  package init(lengths: [Int], enforceSorted: Bool = false, totalLength: Int? = nil) {
    self.lengths = lengths
    self.enforceSorted = enforceSorted
    self.totalLength = totalLength
  }

  /// The first steps of each sequence, of which none is padding behind the longest.
  func beginning(steps: Int) -> Packing {
    Packing(lengths: lengths.map { min($0, steps) })
  }

  /// The number of steps that `output` has.
  package var outputSteps: Int { totalLength ?? lengths.max() ?? 0 }

  /// - Parameter layout: of the input.
  /// - Throws: `InvalidValue` for what PyTorch refuses to pack or to pad.
  package func check(against layout: SequenceLayout) throws(InvalidValue) {
    let name = "inputs/lengths"
    guard !layout.isCell else {
      throw InvalidValue("packed", expected: "none, for a cell", found: "one")
    }
    guard layout.isBatched else {
      throw InvalidValue("packed", expected: "a batched input", found: "an unbatched one")
    }
    guard layout.batch > 0 else {
      throw InvalidValue("packed", expected: "at least one sequence", found: "a batch of 0")
    }
    guard lengths.count == layout.batch else {
      throw InvalidValue(name, expected: "\(layout.batch) lengths", found: "\(lengths.count)")
    }
    if let bad = lengths.first(where: { !(1...max(1, layout.steps) ~= $0) }) {
      throw InvalidValue(name, expected: "lengths from 1 to \(layout.steps)", found: "\(bad)")
    }
    if enforceSorted, lengths != lengths.sorted(by: >) {
      throw InvalidValue(
        name, expected: "descending lengths, as enforce_sorted demands", found: "\(lengths)")
    }
    let longest = lengths.max() ?? 0
    if let totalLength, !(longest...(1 << 32) ~= totalLength) {
      throw InvalidValue(
        "packed.total_length", expected: "\(longest), the longest length, to 2^32",
        found: "\(totalLength)")
    }
  }
}
