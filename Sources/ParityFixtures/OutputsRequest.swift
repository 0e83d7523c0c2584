package import JSON
package import RecurrentModel
package import TensorCore

/// Which outputs another implementation is asked for, to judge it by a case.
package struct OutputsRequest: Sendable {
  package let location: CaseLocation
  /// The names of the outputs that must be given, without `outputs/`.
  package let required: [String]
  /// The names of results that may be given: intermediate ones of a chain, which are then judged,
  /// and those that the case does not have, which are passed over.
  package let optional: [String]
  /// Whether the case has the parameters and inputs that it takes to compute the outputs.
  package let canBeComputed: Bool
  /// The chunks of a stream, each of which is asked for by itself; nil for any other case.
  package let chunkedRun: ChunkedRun?
  /// The keys of the manifest that state in full what the fixture may leave to the shapes and
  /// to PyTorch's defaults.
  let completed: [String: JSONValue]
}

extension OutputsRequest {
  /// What the names of outputs start with in a fixture.
  private static let group = "outputs/"

  /// Checks the names and types of outputs that were given. Their shapes are not checked.
  ///
  /// - Throws: `InvalidValue` where one is missing, is of integers, or was not asked for.
  package func check(_ tensors: [String: Tensor]) throws(InvalidValue) {
    let list = required.joined(separator: ", ")
    let known = required + optional
    let unknown = tensors.keys.filter { !known.contains($0) }.sorted()
    let missing = known.filter { tensors[$0] == nil }.map { Self.group + $0 }
    let slips = FixtureNames.slips(in: unknown, missing: missing).map {
      (found: $0.found, meant: String($0.meant.dropFirst(Self.group.count)))
    }
    if let first = slips.first {
      throw InvalidValue(
        first.found, expected: "one of \(known.joined(separator: ", "))", found: "another name",
        remedy: NearNames.question(slips).map { $0 + Self.mapping(slips) })
    }
    for name in required where tensors[name]?.elementType.isFloatingPoint != true {
      throw InvalidValue(
        name, expected: "a tensor of floats, beside \(list)",
        found: tensors[name].map { "\($0.elementType) \($0.shape)" } ?? Self.list(tensors),
        remedy: tensors[name] == nil
          ? unknown.first.map { Self.mapping(name, to: $0) } ?? judgingRest(of: tensors) : nil)
    }
    if let unknown = unknown.first {
      throw InvalidValue(
        unknown, expected: "none but \(known.joined(separator: ", "))", found: "a tensor")
    }
  }
}

extension OutputsRequest {
  /// How many tensors a message lists.
  private static let listed = 6

  /// The tensors that were given, as what was found: "only hidden (2, 3, 6)", or "none".
  private static func list(_ tensors: [String: Tensor]) -> String {
    var parts = tensors.keys.sorted().prefix(listed).map { "\($0) \(tensors[$0]?.shape ?? [])" }
    guard !parts.isEmpty else { return "none" }
    if tensors.count > listed { parts.append("\(tensors.count - listed) more") }
    return "only " + parts.joined(separator: ", ")
  }

  /// What to do about the names that others have for outputs.
  private static func mapping(_ slips: [NearNames.Slip]) -> String {
    " Rename \(slips.count == 1 ? "it" : "them"), or say: "
      + NameMap.options(slips.map { ($0.meant, $0.found) })
  }

  /// What to do about an output that may stand under another name, which nothing tells.
  private static func mapping(_ name: String, to found: String) -> String {
    "if \(found) is it, say: " + NameMap.options([(name, found)])
  }

  /// How outputs of which some were not kept are judged by the others; nil where there are none.
  private func judgingRest(of tensors: [String: Tensor]) -> String? {
    let given = required.filter { tensors[$0] != nil }
    guard !given.isEmpty, required.contains("h_n") else { return nil }
    return "if no more was kept than \(given.joined(separator: ", ")), judge by that: "
      + "--only \(given.joined(separator: ",")), or VerificationOptions(only:)"
  }
}

extension ParityCase {
  /// Which outputs another implementation has to give to be judged by this case.
  package var outputsRequest: OutputsRequest {
    var completed: [String: JSONValue] = [:]
    if isSingleModule {
      completed["arguments"] = .object(layouts[0].configuration.jsonArguments)
    } else if let chain {
      completed["modules"] = .array(chain.modules.map(\.json))
    }
    if let chain { completed["arithmetic"] = .string(chain.arithmetic.rawValue) }
    if let packed = manifest.packed {
      var own: [String: JSONValue] = ["enforce_sorted": .boolean(packed.enforceSorted)]
      own["total_length"] = packed.totalLength.map(JSONValue.integer)
      completed["packed"] = .object(own)
    }
    let isWhole = isSingleModule || chain == nil
    let required = isWhole ? reference.names : ["output"]
    let known = isSingleModule ? manifest.modules[0].results : reference.names
    return OutputsRequest(
      location: location, required: required,
      optional: known.filter { !required.contains($0) },
      canBeComputed: chain != nil, chunkedRun: chain.flatMap(ChunkedRun.init),
      completed: completed)
  }
}

extension RecurrentConfiguration {
  /// All arguments of the module's constructor by their names, except `dropout`.
  package var jsonArguments: [String: JSONValue] {
    let arguments: [String: JSONValue] = [
      "input_size": .integer(inputSize), "hidden_size": .integer(hiddenSize),
      "num_layers": .integer(numLayers), "bias": .boolean(bias),
      "batch_first": .boolean(batchFirst), "bidirectional": .boolean(bidirectional),
      "proj_size": .integer(projSize), "nonlinearity": .string(nonlinearity.rawValue),
    ]
    let known = ModuleArguments.names(of: module)
    return arguments.filter { known.contains($0.key) }
  }
}

extension ChainModule {
  /// The module as an entry of a manifest's `modules`, with all of its arguments.
  fileprivate var json: JSONValue {
    var entry: [String: JSONValue] = ["name": .string(name), "module": .string(className)]
    var arguments: [String: JSONValue] = [:]
    switch layer {
    case .embedding(let weight, let padding):
      arguments["num_embeddings"] = .integer(weight.shape.axes[0])
      arguments["embedding_dim"] = .integer(weight.shape.axes[1])
      arguments["padding_idx"] = padding.map(JSONValue.integer)
    case .recurrent(let configuration, _, let select):
      arguments = configuration.jsonArguments
      entry["select"] = .string(select.rawValue)
    case .directionMerge(let mode):
      arguments["mode"] = .string(mode.rawValue)
    case .linear(let weight, let bias):
      arguments["in_features"] = .integer(weight.shape.axes[1])
      arguments["out_features"] = .integer(weight.shape.axes[0])
      arguments["bias"] = .boolean(bias != nil)
    case .softmax(let axis), .logSoftmax(let axis):
      arguments["dim"] = .integer(axis)
    }
    entry["arguments"] = .object(arguments)
    return .object(entry)
  }
}
