import JSON
import RecurrentModel
package import TensorCore

/// What the manifest of a recording states: the calls of a model's modules, in the order of
/// execution, and how data flowed from one to the next.
package struct RecordingManifest: Sendable {
  /// The value of `module` in such a manifest.
  static let module = "Recording"

  private static let keys = [
    "format", "module", "stages", "derived", "arithmetic", "activations", "replicas",
    "without_sigma", "provenance", "digest",
  ]

  package let stages: [RecordedStage]
  /// What the model's own code made between the modules, such as a sum or a transposition: for
  /// such a value the values that it was made of. nil where the recording does not say it.
  package let derived: [String: [String]]?
  /// What the values were computed in.
  package let arithmetic: Arithmetic
  /// How accurate the activations of an implementation are that the recorded σ is meant for.
  package let activations: ActivationAccuracy

  /// - Throws: `InvalidValue`, naming the key.
  init(_ json: JSONValue) throws(InvalidValue) {
    let object = try ManifestObject(json, known: Self.keys)
    stages = try RecordedStage.all(in: object)
    arithmetic = try object.name("arithmetic", Arithmetic.self) ?? .float32
    activations = try object.name("activations", ActivationAccuracy.self) ?? .relative
    derived = try object.lists("derived")
    _ = try object.texts("without_sigma")
  }

  /// Whether a manifest is a recording's, and not a case's.
  static func isOne(_ json: JSONValue) -> Bool {
    guard case .object(let values) = json else { return false }
    return values["module"] == .string(module)
  }

  /// What to say of a recording that stands where a case is expected; nil for any other manifest.
  static func error(_ json: JSONValue) -> InvalidValue? {
    guard isOne(json) else { return nil }
    return InvalidValue(
      "module", expected: "a module that makes a case",
      found: "\"\(module)\", a recording of a whole model",
      remedy: "parity-check trace judges by it, and recording.case(NAME) in Python makes a case of "
        + "one of its modules")
  }
}

extension ManifestObject {
  /// An object whose values are strings; empty where the key is missing.
  func texts(_ key: String) throws(InvalidValue) -> [String: String] {
    guard let object = try object(key, known: nil) else { return [:] }
    var texts: [String: String] = [:]
    for name in object.keys { texts[name] = try object.string(name) }
    return texts
  }

  /// An object whose values are arrays of strings; nil where the key is missing.
  func lists(_ key: String) throws(InvalidValue) -> [String: [String]]? {
    guard let object = try object(key, known: nil) else { return nil }
    var lists: [String: [String]] = [:]
    for name in object.keys { lists[name] = try object.strings(name) }
    return lists
  }
}
