package import RecurrentModel
package import TensorCore

/// What a fixture's `manifest.json` states, format `pytorch-parity/1`.
package struct Manifest: Sendable {
  package let content: Content
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

  package enum Content: Sendable {
    case recurrent(ModuleArguments)
    /// A chain of modules.
    case sequential([SequentialArguments])
  }

  package struct Packed: Sendable, Equatable {
    package let enforceSorted: Bool
    package let totalLength: Int?
  }

  package static let format = "pytorch-parity/1"

  private static let sequential = "Sequential"

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
    content = try Self.content(object)
    packed = try Self.packed(object)
    arithmetic = try object.name("arithmetic", Arithmetic.self)
    tolerance = try CaseTolerance(
      CaseTolerance.manifestObject(in: object), outputs: content.outputs)
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

  private static func content(_ object: ManifestObject) throws(InvalidValue) -> Content {
    if try object.string("module") == Self.sequential {
      for key in ["arguments", "packed"] where object.contains(key) {
        throw InvalidValue(key, expected: "none for \(Self.sequential)", found: "one")
      }
      return .sequential(try SequentialArguments.all(in: object))
    }
    if object.contains("modules") {
      throw InvalidValue("modules", expected: "none but for \(Self.sequential)", found: "some")
    }
    let module = try object.required(
      "module", try object.name("module", RecurrentModule.self, or: Self.sequential),
      "a module's name")
    return .recurrent(try ModuleArguments(of: module, in: object))
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

extension Manifest.Content {
  /// The names that outputs may have; nil where the modules name theirs.
  fileprivate var outputs: [String]? {
    if case .recurrent = self { ["output", "h_n", "c_n"] } else { nil }
  }
}
