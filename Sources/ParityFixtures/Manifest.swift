import JSON
package import RecurrentModel
package import TensorCore

/// What a fixture's manifest states, in the format `pytorch-parity/1` that the README defines.
///
/// ```swift
/// let manifest = try Manifest(
///   parsing: #"{"format": "pytorch-parity/1", "module": "GRU", "arguments": {"bias": false}}"#)
/// manifest.modules.count  // 1
/// ```
///
/// It is consistent in itself. Whether the fixture's tensors fit it, only `ParityCase` knows.
package struct Manifest: Sendable {
  /// The modules of a chain in their order, or one recurrent module, whose name is empty. There
  /// is at least one.
  package private(set) var modules: [ChainArguments]
  /// How the padded sequences were packed; nil where they were not.
  package let packed: Packed?
  /// The chunks in which the steps are run, as a stream is; nil where they are run at once.
  package let chunks: ChunkSizes?
  /// What the reference was computed in; nil where that is its tensors' own type.
  package let arithmetic: Arithmetic?
  /// How accurate the activations were that the reference was computed with.
  package let activations: ActivationAccuracy
  /// The results that the case holds of its one module, where it does not hold all of them; nil
  /// where it does.
  package let outputs: [String]?
  package let tolerance: CaseTolerance
  /// The groups of tensors that stand in other files, by `state_dict`, `inputs` and `outputs`.
  /// Only the manifest of a folder may have some.
  package let borrowed: [String: BorrowedTensors]
  /// Why and how the case is expected to fail; nil where it is expected to pass.
  package let expectedFailure: ExpectedFailure?
  /// What the case is for, in words for people.
  package let description: String?
  /// The checksum of the tensors as `Digest` writes it, `crc32:1c291ca3`; nil where none is
  /// stated.
  package let digest: String?

  /// The arguments of PyTorch's `pack_padded_sequence` and `pad_packed_sequence`. The lengths
  /// themselves are a tensor.
  package struct Packed: Sendable, Equatable {
    package let enforceSorted: Bool
    /// The number of steps that the output is padded to; nil for the longest sequence's.
    package let totalLength: Int?
  }

  package static let format = "pytorch-parity/1"

  /// The value of `module` for a chain of modules.
  private static let chain = "Sequential"

  private static let keys = [
    "format", "module", "modules", "arguments", "packed", "chunks", "arithmetic", "activations",
    "outputs", "tolerance", "tensors", "expected_failure", "description", "provenance", "digest",
  ]

  /// - Parameter text: JSON.
  /// - Throws: `InvalidValue`, naming the key, for anything that is missing, of another type,
  ///   unknown or contradictory.
  package init(parsing text: String) throws(InvalidValue) {
    try self.init(try JSONValue.manifest(text))
  }

  init(_ json: JSONValue) throws(InvalidValue) {
    // The format is checked first, since another one has other keys.
    if case .object(let values) = json, values["format"] != .string(Self.format) {
      throw InvalidValue(
        "format", expected: "\"\(Self.format)\"", found: values["format"]?.summary ?? "none")
    }
    if let error = RecordingManifest.error(json) { throw error }
    let object = try ManifestObject(json, known: Self.keys)
    modules = try Self.modules(object)
    packed = try Self.packed(object)
    chunks = try ChunkSizes.read(object, of: modules[0].onlyModule, isPacked: packed != nil)
    arithmetic = try object.name("arithmetic", Arithmetic.self)
    activations = try object.name("activations", ActivationAccuracy.self) ?? .relative
    outputs = try Self.outputs(object, of: modules[0])
    let results = modules[0].name.isEmpty ? ["output", "h_n", "c_n"] : nil
    tolerance = try CaseTolerance(in: object, outputs: results)
    borrowed = try BorrowedTensors.all(in: object)
    expectedFailure = try ExpectedFailure.read(object, outputs: results)
    description = try object.string("description")
    _ = try object.object("provenance", known: nil)
    digest = try object.string("digest")
    if let digest, digest.wholeMatch(of: /crc32:[0-9a-f]{8}/) == nil {
      throw InvalidValue(
        "digest", expected: "crc32: and eight hexadecimal digits", found: "\"\(digest.prefix(60))\""
      )
    }
  }

  /// Whether the case is of one module by itself, and no chain.
  package var isSingleModule: Bool { modules[0].name.isEmpty }

  /// The same manifest with another `batch_first` in all recurrent modules.
  func with(batchFirst: Bool) -> Manifest {
    var copy = self
    copy.modules = modules.map { $0.with(batchFirst: batchFirst) }
    return copy
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

  private static func outputs(
    _ object: ManifestObject, of module: ChainArguments
  ) throws(InvalidValue) -> [String]? {
    guard let names = try object.strings("outputs") else { return nil }
    let known = module.results
    guard module.name.isEmpty else {
      throw InvalidValue(
        "outputs", expected: "none for \(chain), which may leave out any but the last",
        found: "some")
    }
    guard !names.isEmpty, Set(names).isSubset(of: known), Set(names).count == names.count else {
      throw InvalidValue(
        "outputs", expected: "one or more of \(known.joined(separator: ", ")), each once",
        found: "[\(names.joined(separator: ", "))]")
    }
    return known.filter(names.contains)
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
