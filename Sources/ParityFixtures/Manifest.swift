package import RecurrentModel
package import TensorCore

/// What a fixture's `manifest.json` states, format `pytorch-parity/1`.
package struct Manifest: Sendable {
  /// At least one: the modules of a chain, or a recurrent module by itself, without a name.
  package let modules: [ChainArguments]
  /// nil when the sequences are not packed.
  package let packed: Packed?
  /// How the reference was computed, when that is not its tensors' own type.
  package let arithmetic: Arithmetic?
  package let tolerance: CaseTolerance
  /// Groups of tensors that stand in other files, by `state_dict`, `inputs` and
  /// `outputs`; a folder's manifest only.
  package let borrowed: [String: BorrowedTensors]
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

  /// `module` of a chain of modules.
  private static let chain = "Sequential"

  private static let keys = [
    "format", "module", "modules", "arguments", "packed", "arithmetic", "tolerance", "tensors",
    "expected_failure", "description", "provenance", "digest",
  ]

  /// - Parameter text: JSON.
  /// - Throws: `InvalidValue`, naming the key, for anything that is missing, of
  ///   another type, unknown or contradictory.
  package init(parsing text: String) throws(InvalidValue) {
    try self.init(try JSONParser.parse(text))
  }

  init(_ json: JSONValue) throws(InvalidValue) {
    // The format first: another one has other keys.
    if case .object(let values) = json, values["format"] != .string(Self.format) {
      throw InvalidValue(
        "format", expected: "\"\(Self.format)\"", found: values["format"]?.summary ?? "none")
    }
    let object = try ManifestObject(json, known: Self.keys)
    modules = try Self.modules(object)
    packed = try Self.packed(object)
    arithmetic = try object.name("arithmetic", Arithmetic.self)
    tolerance = try CaseTolerance(
      CaseTolerance.manifestObject(in: object),
      outputs: modules[0].name.isEmpty ? ["output", "h_n", "c_n"] : nil)
    borrowed = try BorrowedTensors.all(in: object)
    expectedFailure = try object.string("expected_failure")
    if expectedFailure == "" {
      throw InvalidValue("expected_failure", expected: "a reason", found: "an empty one")
    }
    description = try object.string("description")
    try object.isObject("provenance")
    digest = try object.string("digest")
    if let digest, digest.wholeMatch(of: /crc32:[0-9a-f]{8}/) == nil {
      throw InvalidValue(
        "digest", expected: "crc32: and eight hexadecimal digits", found: "\"\(digest.prefix(60))\""
      )
    }
  }

  private static func modules(
    _ object: ManifestObject
  ) throws(InvalidValue) -> [ChainArguments] {
    if try object.string("module") == chain {
      if object.contains("arguments") {
        throw InvalidValue("arguments", expected: "none for \(chain)", found: "one")
      }
      return try ChainArguments.all(in: object)
    }
    if object.contains("modules") {
      throw InvalidValue("modules", expected: "none but for \(chain)", found: "some")
    }
    let module = try object.required(
      "module", try object.name("module", RecurrentModule.self, or: chain), "a module's name")
    return [ChainArguments(try ModuleArguments(of: module, in: object))]
  }

  private static func packed(_ object: ManifestObject) throws(InvalidValue) -> Packed? {
    guard let packed = try object.object("packed", known: ["enforce_sorted", "total_length"])
    else { return nil }
    return Packed(
      // As in pack_padded_sequence.
      enforceSorted: try packed.boolean("enforce_sorted") ?? true,
      totalLength: try packed.integer("total_length"))
  }
}
