import RecurrentModel

/// That a case is expected to fail, and how: the manifest's `expected_failure`.
///
/// ```json
/// {"reason": "h_n was saved after the first layer", "outputs": {"h_n": 0.2}}
/// ```
///
/// A reason alone, as a string, is expected to fail in any way.
package struct ExpectedFailure: Sendable, Equatable {
  package let reason: String
  /// The results that are expected to differ, and by how much at most; nil for any.
  package let outputs: [String: Double]?

  package init(_ reason: String, outputs: [String: Double]? = nil) {
    self.reason = reason
    self.outputs = outputs
  }
}

extension ExpectedFailure {
  private static let key = "expected_failure"

  /// Reads the key `expected_failure` of a manifest.
  ///
  /// - Parameter names: the results that it can name; nil for any.
  /// - Returns: nil where the manifest does not have it.
  /// - Throws: `InvalidValue`, naming the key, for what is no such statement.
  static func read(
    _ manifest: ManifestObject, outputs names: [String]?
  ) throws(InvalidValue) -> ExpectedFailure? {
    guard manifest.contains(key) else { return nil }
    guard manifest.isObject(key),
      let object = try manifest.object(key, known: ["reason", "outputs"])
    else {
      let reason = try manifest.string(key)
      return ExpectedFailure(try stated(reason, as: key))
    }
    let reason = try stated(
      try object.string("reason"), as: object.name(of: "reason"))
    let outputs = try object.required(
      "outputs", try object.object("outputs", known: names),
      "the results that differ, with the largest difference of each")
    var largest: [String: Double] = [:]
    for name in outputs.keys {
      guard let bound = try outputs.number(name), bound > 0, bound.isFinite else {
        throw InvalidValue(
          outputs.name(of: name), expected: "a number above 0", found: "another value")
      }
      largest[name] = bound
    }
    guard !largest.isEmpty else {
      throw InvalidValue(
        object.name(of: "outputs"), expected: "at least one result", found: "none")
    }
    return ExpectedFailure(reason, outputs: largest)
  }

  private static func stated(
    _ reason: String?, as key: String
  ) throws(InvalidValue) -> String {
    guard let reason, !reason.isEmpty else {
      throw InvalidValue(
        key, expected: "a reason", found: reason == nil ? "none" : "an empty one")
    }
    return reason
  }
}
