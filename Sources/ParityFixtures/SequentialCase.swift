package import RecurrentModel
package import TensorCore

/// A fixture of a chain of modules, loaded and known to be consistent in itself.
package struct SequentialCase: Sendable {
  package let location: CaseLocation
  package let manifest: Manifest
  /// In what we compute in, rounded to `arithmetic`.
  package let sequential: Sequential
  /// Token ids, or floats as the parameters.
  package let input: Tensor
  package let arithmetic: Arithmetic
  /// What PyTorch gave, in the order in which the modules run, the result last.
  package let reference: [(name: String, tensor: Tensor)]

  package init(
    location: CaseLocation, manifest: Manifest, sequential: Sequential, input: Tensor,
    arithmetic: Arithmetic, reference: [(name: String, tensor: Tensor)]
  ) {
    self.location = location
    self.manifest = manifest
    self.sequential = sequential
    self.input = input
    self.arithmetic = arithmetic
    self.reference = reference
  }

  package var outputsRequest: OutputsRequest {
    let module: [String: JSONValue] = [
      "arithmetic": .string(arithmetic.rawValue)
    ]
    return OutputsRequest(
      location: location, required: ["output"],
      optional: reference.map(\.name).filter { $0 != "output" }, canBeComputed: true,
      completed: module)
  }
}

extension SequentialCase {
  /// - Parameter tensors: by their names in the fixture, `state_dict/…` and so on.
  package init(
    _ location: CaseLocation, _ manifest: Manifest, _ tensors: [String: Tensor]
  ) throws(InvalidValue) {
    guard case .sequential(let arguments) = manifest.content else {
      throw InvalidValue("module", expected: "Sequential", found: "another")
    }
    var parts = FixtureParts(tensors)
    var parameters = parts.takeStateDict()
    let input = try parts.takeRequired("inputs/input")
    let output = try parts.takeRequired("outputs/output")
    var loaded: [SequentialModule] = []
    for module in arguments {
      loaded.append(try module.module(taking: &parameters))
    }
    if let stranger = parameters.keys.min() {
      throw InvalidValue(
        "state_dict/" + stranger, expected: "parameters of the modules", found: "no such module's")
    }
    let type = try Self.elementType(of: loaded, input)
    guard let arithmetic = manifest.arithmetic ?? Arithmetic(of: type) else {
      preconditionFailure("parameters are of floats")
    }
    try Self.check(input, arguments[0], loaded[0])
    let sequential = Sequential(
      try loaded.map { module throws(InvalidValue) in try module.rounded(to: arithmetic) })
    let shapes = try sequential.outputShapes(for: input.shape)
    let taken = Self.names(of: loaded).compactMap { name in
      parts.take("outputs/" + name).map { (name: name, tensor: $0) }
    }
    try parts.requireEmpty()
    let reference = taken + [(name: "output", tensor: output)]
    try Self.check(reference, against: shapes)
    let exceptions = manifest.tolerance.exceptions.keys.sorted()
    if let stray = exceptions.first(where: { name in !reference.contains { $0.name == name } }) {
      throw InvalidValue(
        "tolerance.outputs." + stray,
        expected: "one of \(reference.map(\.name).joined(separator: ", "))", found: "an exception")
    }
    try manifest.checkDigest(tensors)
    self.init(
      location: location, manifest: manifest, sequential: sequential,
      input: input.elementType.isFloatingPoint
        ? input.rounded(to: arithmetic.storage).rounded(to: arithmetic.computation) : input,
      arithmetic: arithmetic, reference: reference)
  }

  /// All that the modules can have, in the order in which they run.
  private static func names(of modules: [SequentialModule]) -> [String] {
    modules.flatMap { module in
      let outputs: [String] =
        if case .recurrent(let configuration, _, _) = module.layer {
          configuration.module.recurrence.hasCellState
            ? ["output", "h_n", "c_n"] : ["output", "h_n"]
        } else { ["output"] }
      return outputs.map { module.name + "." + $0 }
    }
  }

  /// That of all parameters and, where it is no index, of the input.
  private static func elementType(
    of modules: [SequentialModule], _ input: Tensor
  ) throws(InvalidValue) -> ElementType {
    let named = modules.flatMap { module in
      module.parameters.map { (name: module.name + "." + $0, tensor: $1) }
    }.sorted { $0.name < $1.name }
    let type = named.first?.tensor.elementType ?? input.elementType
    guard type.isFloatingPoint else {
      throw InvalidValue("inputs/input", expected: "floats", found: "\(type)")
    }
    if let other = named.first(where: { $0.tensor.elementType != type }) {
      throw InvalidValue(
        "state_dict/" + other.name, expected: "\(type), as \(named[0].name)",
        found: "\(other.tensor.elementType)")
    }
    guard !input.elementType.isFloatingPoint || input.elementType == type else {
      throw InvalidValue(
        "inputs/input", expected: "\(type), as state_dict", found: "\(input.elementType)")
    }
    return type
  }

  /// Indices are for an embedding, and within its rows.
  private static func check(
    _ input: Tensor, _ arguments: SequentialArguments, _ module: SequentialModule
  ) throws(InvalidValue) {
    guard case .embedding(let weight, _) = module.layer else {
      guard input.elementType.isFloatingPoint else {
        throw InvalidValue(
          "inputs/input", expected: "floats, for \(module.className)",
          found: "\(input.elementType)")
      }
      return
    }
    guard let indices = input.integers else {
      throw InvalidValue(
        "inputs/input", expected: "int64 or int32, for an Embedding",
        found: "\(input.elementType)")
    }
    let rows = weight.shape.axes[0]
    if let bad = indices.first(where: { !(0..<Int64(rows) ~= $0) }) {
      throw InvalidValue(
        "inputs/input", expected: "indices from 0 to \(rows - 1)", found: "\(bad)")
    }
  }

  private static func check(
    _ reference: [(name: String, tensor: Tensor)], against shapes: [String: Shape]
  ) throws(InvalidValue) {
    guard let type = reference.last?.tensor.elementType, type.isFloatingPoint else {
      throw InvalidValue("outputs/output", expected: "floats", found: "integers")
    }
    for (name, tensor) in reference {
      guard let shape = shapes[name], tensor.shape == shape else {
        throw InvalidValue(
          "outputs/" + name, expected: "the shape \(shapes[name] ?? [])", found: "\(tensor.shape)")
      }
      guard tensor.elementType == type else {
        throw InvalidValue(
          "outputs/" + name, expected: "\(type), as outputs/output",
          found: "\(tensor.elementType)")
      }
    }
  }
}
