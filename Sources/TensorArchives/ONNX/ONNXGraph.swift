import Platform

/// The parts of an ONNX model (`ModelProto`, `GraphProto`) that hold weights, with those of the
/// graphs inside of its nodes. A tensor whose name another graph's has already is called otherwise.
struct ONNXGraph {
  /// The initialisers.
  private(set) var tensors: [ONNXTensor] = []
  private(set) var constants: [ONNXTensor] = []
  private(set) var recurrent: [(name: String, node: ONNXRecurrent)] = []
  private var names: Set<String> = []
  /// The names of the tensors of all graphs so far.
  private var defined: Set<String> = []
  /// The nodes that only rearrange what they are given, by the names of their outputs.
  private(set) var rearranging: [String: ONNXNode] = [:]

  /// How deep graphs stand in each other at most.
  private static let mostNested = 16

  init(model: Data) throws(ArchiveError.Reason) {
    // The version of the format stands first, as field 1, a number.
    guard model.first == 0x08 else {
      throw .wrongFormat(expected: "an ONNX model", found: model.printablePrefix)
    }
    var reader = ProtobufReader(model, of: "the model")
    var graph: Data?
    var hasOperators = false
    while let (field, value) = try reader.next() {
      switch field {
      case 7:
        guard graph == nil else { throw .corrupt("model", expected: "one graph", found: "two") }
        graph = value.message
      case 8: hasOperators = true
      default: break
      }
    }
    guard let graph, hasOperators else {
      throw .corrupt(
        "model", expected: "a graph and opset_import",
        found: "an end before \(graph == nil ? "the graph" : "opset_import")")
    }
    try read(graph, depth: 0, [:])
  }

  /// - Parameter aliases: what tensors of the graphs around it are called here, where that is not
  ///   their own name.
  private mutating func read(
    _ graph: Data, depth: Int, _ aliases: [String: String]
  ) throws(ArchiveError.Reason) {
    guard depth < Self.mostNested else {
      throw .unsupported(
        "graphs", expected: "at most \(Self.mostNested) in each other", found: "more")
    }
    var reader = ProtobufReader(graph, of: "the graph")
    var (nodes, tensors) = ([ONNXNode](), [ONNXTensor]())
    while let (field, value) = try reader.next() {
      switch field {
      case 1: nodes.append(try ONNXNode(value.message))
      case 5: tensors.append(try ONNXTensor(value.message))
      default: break
      }
    }
    // A tensor of another graph may have the same name, such as one of an If's other branch.
    var aliases = aliases
    let own = Set(tensors.map(\.name) + nodes.flatMap(\.outputs)).subtracting([""])
    for name in own.sorted() {
      aliases[name] = defined.contains(name) ? "\(name)_\(defined.count)" : nil
    }
    defined.formUnion(own.map { aliases[$0] ?? $0 })
    for var tensor in tensors {
      if let alias = aliases[tensor.name] { tensor.rename(alias) }
      self.tensors.append(tensor)
    }
    for var node in nodes {
      node.rename(aliases)
      add(node)
      for inner in node.graphs { try read(inner, depth: depth + 1, aliases) }
    }
  }

  private mutating func add(_ node: ONNXNode) {
    switch node.operation {
    case "Constant":
      guard var tensor = node.value, let name = node.outputs.first else { return }
      tensor.rename(name)
      constants.append(tensor)
    case "Identity", "Unsqueeze", "Squeeze", "Slice", "Concat":
      if let name = node.outputs.first { rearranging[name] = node }
    default:
      guard let own = ONNXRecurrent(node) else { return }
      var name = node.name.isEmpty ? "\(node.operation)_\(recurrent.count)" : node.name
      // Nodes may have the same name, or that of another's place.
      if !names.insert(name).inserted { name += "_\(recurrent.count)" }
      recurrent.append((name, own))
    }
  }
}
