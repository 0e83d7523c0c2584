import TensorCore

/// The tensors of an ONNX graph that do not depend on its input: those that are stored, and what
/// some nodes make of them.
///
/// PyTorch's exporter stores a recurrent module's weights in PyTorch's order, and writes nodes
/// behind them that put their gates into ONNX's: Slice, Concat and Unsqueeze. These are followed,
/// along the first axis, which is all that it takes:
///
/// ```
/// weight_ih (4H, I) -> Slice [0:H], [3H:4H], [H:3H] -> Concat (4H, I) -> Unsqueeze (1, 4H, I)
/// ```
///
/// What is made so is a list of ranges of stored tensors, and nothing is computed until it is
/// read.
///
/// Source: `docs/Operators.md` in onnx/onnx.
struct ONNXConstants {
  /// The tensors that are stored, by their names.
  private let stored: [String: TableEntry]
  /// The nodes that others read from, by the names of their outputs.
  private let nodes: [String: ONNXNode]
  private var known: [String: Value] = [:]

  /// What a name stands for: elements of stored tensors, one range behind the other.
  private struct Value {
    var axes: [Int]
    var pieces: [(source: TableEntry, range: Range<Int>)]
  }

  /// The most ranges that a tensor is made of, and the most nodes that stand one behind the other:
  /// a small file could ask for any amount of work.
  private static let mostPieces = 256
  private static let mostNodes = 32

  init(stored: [String: TableEntry], nodes: [String: ONNXNode]) {
    (self.stored, self.nodes) = (stored, nodes)
  }

  /// The tensor of a name; nil where it depends on the graph's input, or is made in a way that is
  /// not followed.
  mutating func entry(_ name: String) -> TableEntry? {
    if let own = stored[name] { return own }
    guard let value = value(name, depth: 0),
      let type = value.pieces.first?.source.header.elementType,
      value.pieces.allSatisfy({ $0.source.header.elementType == type })
    else { return nil }
    let shape = Shape(value.axes)
    return TableEntry(header: TensorHeader(type, shape), place: nil) {
      [pieces = value.pieces] () throws(ArchiveError.Reason) in
      var parts: [Tensor] = []
      for (source, range) in pieces {
        parts.append(
          try source.load().gathering(
            blocksOf: range.count, at: [range.lowerBound], shape: [range.count]))
      }
      return Tensor(concatenating: parts).reshaped(shape)
    }
  }

  private mutating func value(_ name: String, depth: Int) -> Value? {
    if let own = known[name] { return own }
    var value: Value?
    if let entry = stored[name] {
      let shape = entry.header.shape
      value = Value(axes: shape.axes, pieces: [(entry, 0..<shape.elementCount)])
    } else if let node = nodes[name], depth < Self.mostNodes {
      value = made(by: node, depth: depth + 1)
    }
    guard let value, value.pieces.count <= Self.mostPieces else { return nil }
    known[name] = value
    return value
  }

  private mutating func made(by node: ONNXNode, depth: Int) -> Value? {
    var inputs: [Value] = []
    for input in node.operation == "Concat" ? node.inputs : Array(node.inputs.prefix(1)) {
      guard let value = value(input, depth: depth) else { return nil }
      inputs.append(value)
    }
    guard let first = inputs.first else { return nil }
    switch node.operation {
    case "Identity": return first
    case "Unsqueeze" where numbers(node, 1, "axes") == [0]:
      return Value(axes: [1] + first.axes, pieces: first.pieces)
    case "Squeeze" where numbers(node, 1, "axes") == [0] && first.axes.first == 1:
      return Value(axes: Array(first.axes.dropFirst()), pieces: first.pieces)
    case "Slice": return sliced(first, node)
    case "Concat" where node.integers["axis"] == 0: return joined(inputs)
    default: return nil
    }
  }

  private func sliced(_ whole: Value, _ node: ONNXNode) -> Value? {
    guard numbers(node, 3, "axes") == [0],
      node.input(4) == nil && node.lists["steps"] == nil || numbers(node, 4, "steps") == [1],
      let start = numbers(node, 1, "starts"), let end = numbers(node, 2, "ends"),
      start.count == 1, end.count == 1, let rows = whole.axes.first
    else { return nil }
    // Numbers below 0 count from the end; those beyond it mean the end.
    func row(_ number: Int) -> Int { min(max(number < 0 ? number + rows : number, 0), rows) }
    let range = row(start[0])..<max(row(start[0]), row(end[0]))
    let size = whole.axes.dropFirst().reduce(1, *)
    var pieces: [(source: TableEntry, range: Range<Int>)] = []
    var place = 0
    for piece in whole.pieces {
      // The part of the piece that is in the slice, counted from the whole's first element.
      let part = (place..<place + piece.range.count)
        .clamped(to: range.lowerBound * size..<range.upperBound * size)
      if !part.isEmpty {
        let first = piece.range.lowerBound + part.lowerBound - place
        pieces.append((piece.source, first..<first + part.count))
      }
      place += piece.range.count
    }
    return Value(axes: [range.count] + whole.axes.dropFirst(), pieces: pieces)
  }

  private func joined(_ parts: [Value]) -> Value? {
    guard let first = parts.first, !first.axes.isEmpty,
      parts.allSatisfy({
        $0.axes.count == first.axes.count && $0.axes.dropFirst() == first.axes.dropFirst()
      })
    else { return nil }
    var rows = 0
    for part in parts {
      let (sum, overflow) = rows.addingReportingOverflow(part.axes[0])
      guard !overflow else { return nil }
      rows = sum
    }
    let axes = [rows] + first.axes.dropFirst()
    guard Shape(checking: axes) != nil else { return nil }
    return Value(axes: axes, pieces: parts.flatMap(\.pieces))
  }

  /// The numbers of an input that is stored, or of an attribute, as older versions of the
  /// operators have them; nil where there are neither.
  private func numbers(_ node: ONNXNode, _ input: Int, _ attribute: String) -> [Int]? {
    guard let name = node.input(input) else { return node.lists[attribute] }
    guard let entry = stored[name], entry.header.shape.elementCount <= 8 else { return nil }
    return (try? entry.load())?.integers?.map { Int($0) }
  }
}
