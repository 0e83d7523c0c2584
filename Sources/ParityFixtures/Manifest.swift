package import RecurrentModel
package import TensorCore

/// What a fixture's `manifest.json` states, format `pytorch-parity/1`.
package struct Manifest: Sendable {
  package let configuration: RecurrentConfiguration
  /// nil when the sequences are not packed.
  package let packed: Packed?
  /// How the reference was computed, when that is not its tensors' own type.
  package let arithmetic: ElementType?
  package let tolerance: CaseTolerance
  /// Why the case is expected to fail.
  package let expectedFailure: String?
  package let description: String?
  /// As in `crc32:1c291ca3`.
  package let digest: String?

  package struct Packed: Sendable, Equatable {
    package let enforceSorted: Bool
    package let totalLength: Int?
  }

  package static let format = "pytorch-parity/1"

  private static let keys = [
    "format", "module", "arguments", "packed", "arithmetic", "tolerance", "expected_failure",
    "description", "provenance", "digest",
  ]

  /// - Parameter text: JSON.
  /// - Throws: `InvalidValue`, naming the key, for anything that is missing, of
  ///   another type, unknown or contradictory.
  package init(parsing text: String) throws(InvalidValue) {
    guard let json = JSONValue(parsing: text) else {
      throw InvalidValue("manifest", expected: "JSON", found: "text that is not")
    }
    // The format first: another one has other keys.
    if case .object(let values) = json, values["format"] != .string(Self.format) {
      throw InvalidValue(
        "format", expected: "\"\(Self.format)\"", found: values["format"]?.summary ?? "none")
    }
    let object = try ManifestObject(json, known: Self.keys)
    configuration = try Self.configuration(object)
    packed = try Self.packed(object)
    arithmetic = try Self.arithmetic(object)
    tolerance = try CaseTolerance(CaseTolerance.manifestObject(in: object))
    expectedFailure = try object.string("expected_failure")
    if expectedFailure == "" {
      throw InvalidValue("expected_failure", expected: "a reason", found: "an empty one")
    }
    description = try object.string("description")
    try object.isObject("provenance")
    digest = try object.string("digest")
  }

  private static func configuration(
    _ object: ManifestObject
  ) throws(InvalidValue) -> RecurrentConfiguration {
    let name = try object.required("module", try object.string("module"), "a module's name")
    guard let module = RecurrentModule(rawValue: name) else {
      let known = RecurrentModule.allCases.map(\.rawValue).joined(separator: " or ")
      throw InvalidValue("module", expected: known, found: "\"\(name)\"")
    }
    var known = [
      "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional",
    ]
    if module == .lstm { known.append("proj_size") }
    let arguments = try object.required(
      "arguments", try object.object("arguments", known: known), "the constructor's arguments")
    // In eval(), which references are made in, dropout does nothing.
    if let dropout = try arguments.number("dropout"), !(0...1 ~= dropout) {
      throw InvalidValue("arguments.dropout", expected: "0 to 1", found: "\(dropout)")
    }
    return try RecurrentConfiguration(
      module: module,
      inputSize: try arguments.required(
        "input_size", try arguments.integer("input_size"), "an integer"),
      hiddenSize: try arguments.required(
        "hidden_size", try arguments.integer("hidden_size"), "an integer"),
      numLayers: try arguments.integer("num_layers") ?? 1,
      bias: try arguments.boolean("bias") ?? true,
      batchFirst: try arguments.boolean("batch_first") ?? false,
      bidirectional: try arguments.boolean("bidirectional") ?? false,
      projSize: try arguments.integer("proj_size") ?? 0)
  }

  private static func packed(_ object: ManifestObject) throws(InvalidValue) -> Packed? {
    guard let packed = try object.object("packed", known: ["enforce_sorted", "total_length"])
    else { return nil }
    return Packed(
      // As in pack_padded_sequence.
      enforceSorted: try packed.boolean("enforce_sorted") ?? true,
      totalLength: try packed.integer("total_length"))
  }

  private static func arithmetic(_ object: ManifestObject) throws(InvalidValue) -> ElementType? {
    guard let name = try object.string("arithmetic") else { return nil }
    guard let type = ElementType(rawValue: name), type.isFloatingPoint else {
      throw InvalidValue("arithmetic", expected: "float32 or float64", found: "\"\(name)\"")
    }
    return type
  }
}
