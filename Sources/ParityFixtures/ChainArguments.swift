import JSON
package import RecurrentModel

/// What a manifest says of one module: an entry of a chain's `modules`, or the manifest's own
/// `arguments` where the case is one recurrent module. Arguments that are left out, since the
/// shapes of the parameters tell them, are nil.
package struct ChainArguments: Sendable {
  /// The name that its parameters and results start with; empty where the case is one
  /// recurrent module.
  package let name: String
  package private(set) var layer: Layer

  package enum Layer: Sendable {
    case embedding(numEmbeddings: Int?, embeddingDim: Int?, paddingIdx: Int?)
    case recurrent(ModuleArguments, select: ChainModule.Selection)
    case directionMerge(ChainModule.MergeMode)
    case linear(inFeatures: Int?, outFeatures: Int?, bias: Bool?)
    case softmax(axis: Int)
    case logSoftmax(axis: Int)
  }

  /// The only module of a case.
  init(_ module: ModuleArguments) {
    name = ""
    layer = .recurrent(module, select: .output)
  }

  /// The classes that may stand in a chain.
  private enum ClassName: String, CaseIterable {
    case embedding = "Embedding"
    case lstm = "LSTM"
    case gru = "GRU"
    case rnn = "RNN"
    case directionMerge = "DirectionMerge"
    case linear = "Linear"
    case softmax = "Softmax"
    case logSoftmax = "LogSoftmax"
  }

  /// The most modules of a chain. Real ones are short, and known mistakes are looked for in
  /// each module.
  private static let largestCount = 256

  /// Reads the `modules` of a chain.
  ///
  /// - Throws: `InvalidValue`, naming the key, for what is missing or unknown, where two have
  ///   one name, or where there are too many.
  static func all(in manifest: ManifestObject) throws(InvalidValue) -> [ChainArguments] {
    let objects = try manifest.objects("modules", known: ["name", "module", "arguments", "select"])
    guard let objects, !objects.isEmpty else {
      throw InvalidValue(
        "modules", expected: "at least one module",
        found: objects == nil ? "none" : "an empty array")
    }
    guard objects.count <= largestCount else {
      throw InvalidValue(
        "modules", expected: "at most \(largestCount) modules", found: "\(objects.count)")
    }
    var all: [ChainArguments] = []
    for object in objects {
      let module = try ChainArguments(object)
      guard !all.contains(where: { $0.name == module.name }) else {
        throw InvalidValue(
          object.name(of: "name"), expected: "a name of its own", found: "\"\(module.name)\" again")
      }
      all.append(module)
    }
    return all
  }

  private init(_ object: ManifestObject) throws(InvalidValue) {
    name = try object.required("name", try object.string("name"), "a name")
    // A module's name stands before a dot in the names of its tensors.
    guard name.wholeMatch(of: /[^.\/\p{Cc}]+/) != nil else {
      throw InvalidValue(
        object.name(of: "name"), expected: "a name without dots and slashes",
        found: "\"\(name.prefix(60))\"")
    }
    let className = try object.required(
      "module", try object.name("module", ClassName.self), "a module's name")
    layer = try Self.layer(className, object)
    if case .recurrent = layer { return }
    guard !object.contains("select") else {
      throw InvalidValue(
        object.name(of: "select"), expected: "none for \(className.rawValue)", found: "one")
    }
  }

  private static func layer(
    _ className: ClassName, _ object: ManifestObject
  ) throws(InvalidValue) -> Layer {
    func arguments(_ known: String...) throws(InvalidValue) -> ManifestObject {
      if let given = try object.object("arguments", known: known) { return given }
      return try ManifestObject(.object([:]), at: object.path + ["arguments"], known: known)
    }
    switch className {
    case .embedding:
      let given = try arguments("num_embeddings", "embedding_dim", "padding_idx")
      return .embedding(
        numEmbeddings: try given.integer("num_embeddings"),
        embeddingDim: try given.integer("embedding_dim"),
        paddingIdx: try given.integer("padding_idx"))
    case .lstm, .gru, .rnn:
      guard let module = RecurrentModule(rawValue: className.rawValue) else {
        preconditionFailure("\(className.rawValue) is recurrent")
      }
      return .recurrent(
        try ModuleArguments(of: module, in: object),
        select: try object.name("select", ChainModule.Selection.self) ?? .output)
    case .directionMerge:
      let given = try arguments("mode")
      let mode = try given.name("mode", ChainModule.MergeMode.self)
      return .directionMerge(try given.required("mode", mode, "a mode"))
    case .linear:
      let given = try arguments("in_features", "out_features", "bias")
      return .linear(
        inFeatures: try given.integer("in_features"),
        outFeatures: try given.integer("out_features"), bias: try given.boolean("bias"))
    case .softmax, .logSoftmax:
      let given = try arguments("dim")
      let axis = try given.required("dim", try given.integer("dim"), "an axis")
      return className == .softmax ? .softmax(axis: axis) : .logSoftmax(axis: axis)
    }
  }

  /// The recurrent module where the case is one; nil for a module of a chain.
  var onlyModule: RecurrentModule? {
    guard name.isEmpty, case .recurrent(let arguments, _) = layer else { return nil }
    return arguments.module
  }

  /// `batch_first` of a recurrent module that has this argument; nil for any other module.
  var batchFirst: Bool? {
    guard case .recurrent(let arguments, _) = layer, !arguments.module.isCell else { return nil }
    return arguments.batchFirst ?? false
  }

  /// The same module with another `batch_first`, where it has this argument.
  func with(batchFirst: Bool) -> ChainArguments {
    guard case .recurrent(var arguments, let select) = layer, self.batchFirst != nil else {
      return self
    }
    arguments.batchFirst = batchFirst
    var copy = self
    copy.layer = .recurrent(arguments, select: select)
    return copy
  }

  /// The names of the module's results, without its own before them.
  var results: [String] {
    guard case .recurrent(let arguments, _) = layer else { return ["output"] }
    let module = arguments.module
    return (module.isCell ? [] : ["output"]) + ["h_n"]
      + (module.recurrence.hasCellState ? ["c_n"] : [])
  }

  /// Whether the module needs parameters.
  var hasParameters: Bool {
    switch layer {
    case .embedding, .recurrent, .linear: true
    case .directionMerge, .softmax, .logSoftmax: false
    }
  }
}
