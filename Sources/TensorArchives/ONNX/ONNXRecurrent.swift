import TensorCore

/// The weights of an LSTM, GRU or RNN node of ONNX as the parameters of PyTorch's module.
///
/// With D directions, H hidden and I input features, and G gates (4, 3 and 1):
///
/// | ONNX | shape | PyTorch, for each direction |
/// |---|---|---|
/// | W | (D, G·H, I) | `weight_ih_l0` (G·H, I) |
/// | R | (D, G·H, H) | `weight_hh_l0` (G·H, H) |
/// | B | (D, 2·G·H) | `bias_ih_l0` and `bias_hh_l0` (G·H), one behind the other |
///
/// The gates stand in the orders i, o, f, c (LSTM) and z, r, h (GRU); in PyTorch i, f, g, o, where
/// g is ONNX's c, and r, z, n, where n is h.
///
/// Source: `docs/Operators.md` in onnx/onnx, and the formulas in PyTorch's documentation.
struct ONNXRecurrent {
  private let node: ONNXNode
  /// The blocks of ONNX's order that stand in PyTorch's, one for each gate.
  private let gates: [Int]

  /// Nil for any other node.
  init?(_ node: ONNXNode) {
    switch node.operation {
    case "LSTM": gates = [0, 2, 3, 1]
    case "GRU": gates = [1, 0, 2]
    case "RNN": gates = [0]
    default: return nil
    }
    self.node = node
  }

  /// The names of the node's weights that the table has no use for once they are converted.
  var weights: [String] { [1, 2, 3].compactMap(node.input) }

  /// The parameters by PyTorch's names.
  ///
  /// - Parameter constants: the tensors of the graph that do not depend on its input.
  /// - Throws: `ArchiveError.Reason` where no module of PyTorch computes what the node does, or
  ///   the shapes contradict each other.
  func parameters(
    from constants: inout ONNXConstants
  ) throws(ArchiveError.Reason) -> [(name: String, entry: TableEntry)] {
    let directions = try directions()
    try checkFormula(directions)
    let w = try weight(1, "W", &constants)
    let r = try weight(2, "R", &constants)
    let b = node.input(3) == nil ? nil : try weight(3, "B", &constants)
    let axes = w.header.shape.axes
    guard axes.count == 3, axes[0] == directions, axes[1] % gates.count == 0,
      r.header.shape.axes == [directions, axes[1], axes[1] / gates.count],
      b.map({ $0.header.shape.axes == [directions, 2 * axes[1]] }) ?? true
    else {
      throw .corrupt(
        "weights",
        expected: "W (\(directions), \(gates.count)·H, I), R (\(directions), \(gates.count)·H, H) "
          + "and B (\(directions), \(2 * gates.count)·H)",
        found: [w, r, b].compactMap { $0.map { "\($0.header.shape)" } }.joined(separator: ", "))
    }
    var parameters: [(String, TableEntry)] = []
    for direction in 0..<directions {
      let ending = direction == 0 ? "_l0" : "_l0_reverse"
      parameters.append(("weight_ih" + ending, part(of: w, direction, 0..<1)))
      parameters.append(("weight_hh" + ending, part(of: r, direction, 0..<1)))
      if let b {
        parameters.append(("bias_ih" + ending, part(of: b, direction, 0..<2)))
        parameters.append(("bias_hh" + ending, part(of: b, direction, 1..<2)))
      }
    }
    return parameters
  }

  private func weight(
    _ input: Int, _ letter: String, _ constants: inout ONNXConstants
  ) throws(ArchiveError.Reason) -> TableEntry {
    let name = node.input(input) ?? ""
    guard let entry = constants.entry(name) else {
      throw .unsupported(
        "input \(letter)", expected: "a tensor in the file",
        found: name.isEmpty
          ? "none"
          : "\(TensorName.shown(name)), which is computed from the input, or in a way that is not followed"
      )
    }
    return entry
  }

  /// One direction's part of a weight, with the gates in PyTorch's order.
  ///
  /// - Parameter half: which of how many equal parts of the direction's elements: `0..<1` for
  ///   all, `0..<2` for the first half, and `1..<2` for the second.
  private func part(of whole: TableEntry, _ direction: Int, _ half: Range<Int>) -> TableEntry {
    let count = half.upperBound
    var axes = Array(whole.header.shape.axes.dropFirst())
    axes[0] /= count
    let shape = Shape(axes)
    let gates = gates
    return TableEntry(header: TensorHeader(whole.header.elementType, shape), place: nil) {
      () throws(ArchiveError.Reason) in
      let own = try whole.load().selecting([direction], along: 0)
      guard shape.elementCount > 0 else { return own.reshaped(shape) }
      let size = shape.elementCount
      return own.gathering(blocksOf: size, at: [half.lowerBound * size], shape: shape)
        .takingBlocks(gates)
    }
  }

  // MARK: - What PyTorch computes

  private func directions() throws(ArchiveError.Reason) -> Int {
    switch node.texts["direction"]?.first ?? "forward" {
    case "forward": return 1
    case "bidirectional": return 2
    case let other:
      throw .unsupported(
        "direction", expected: "forward or bidirectional",
        found: "\(TensorName.shown(other)), which no module of PyTorch has; with the sequence "
          + "reversed it is forward")
    }
  }

  private func checkFormula(_ directions: Int) throws(ArchiveError.Reason) {
    let own: [String]
    switch node.operation {
    case "LSTM": own = ["Sigmoid", "Tanh", "Tanh"]
    case "GRU": own = ["Sigmoid", "Tanh"]
    default: own = node.texts["activations"]?.first == "Relu" ? ["Relu"] : ["Tanh"]
    }
    if let found = node.texts["activations"],
      found != Array(repeating: own, count: directions).flatMap(\.self)
    {
      throw .unsupported(
        "activations", expected: own.joined(separator: ", ") + " in each direction, as PyTorch",
        found: found.prefix(8).map(TensorName.short).joined(separator: ", "))
    }
    if node.input(7) != nil {
      throw .unsupported(
        "input P", expected: "none", found: "peepholes, which PyTorch's LSTM has not")
    }
    if node.floats.contains("clip") {
      throw .unsupported("clip", expected: "none", found: "one, which PyTorch has not")
    }
    if let found = node.integers["input_forget"], found != 0 {
      throw .unsupported(
        "input_forget", expected: "0", found: "\(found): coupled gates, which PyTorch has not")
    }
    if node.operation == "GRU", node.integers["linear_before_reset"] ?? 0 == 0 {
      throw .unsupported(
        "linear_before_reset", expected: "1, as PyTorch's GRU computes",
        found: "0: the reset gate multiplies h before the product")
    }
  }
}
