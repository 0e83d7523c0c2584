import RecurrentModel
package import TensorComparison

/// How much the outputs of a case may differ from the reference: the manifest's `tolerance`.
///
/// ```json
/// {"rule": "noise", "outputs": {"c_n": {"rtol": 1e-5, "atol": 1e-6}}}
/// ```
package struct CaseTolerance: Sendable, Equatable {
  /// The rule for every output without an exception; nil where the case states none.
  package let rule: ToleranceRule?
  /// The rules of single outputs, by their names, such as `c_n`.
  package let exceptions: [String: ToleranceRule]

  /// The tolerance of a case that states none.
  package static let standard = CaseTolerance(rule: nil, exceptions: [:])

  /// The rule that an output is judged by.
  package func rule(for output: String) -> ToleranceRule {
    exceptions[output] ?? rule ?? .standardNoise
  }

  private static let ruleKeys = ["rule", "rtol", "atol", "sigma", "replicas"]
  private static let ruleNames = ["noise", "torch", "exact"]
  private static let noiseKeys = ["sigma", "replicas"]
}

extension CaseTolerance {
  /// Reads the key `tolerance` of a manifest.
  ///
  /// - Parameter names: the outputs that may have exceptions; nil for any.
  /// - Throws: `InvalidValue`, naming the key, for what is no rule.
  init(in manifest: ManifestObject, outputs names: [String]?) throws(InvalidValue) {
    guard
      let object = try Self.object("tolerance", in: manifest, known: Self.ruleKeys + ["outputs"])
    else {
      self = .standard
      return
    }
    rule = try Self.rule(object)
    var exceptions: [String: ToleranceRule] = [:]
    if let outputs = try object.object("outputs", known: names) {
      for name in outputs.keys {
        guard let exception = try Self.object(name, in: outputs, known: Self.ruleKeys)
        else { continue }
        exceptions[name] = try exception.required(
          "rule", try Self.rule(exception), "a rule, or rtol and atol")
      }
    }
    self.exceptions = exceptions
  }

  /// The object of a rule. A rule's bare name in place of it, as on the command line, is told
  /// how it is written here.
  private static func object(
    _ key: String, in manifest: ManifestObject, known: [String]
  ) throws(InvalidValue) -> ManifestObject? {
    do throws(InvalidValue) {
      return try manifest.object(key, known: known)
    } catch {
      guard !manifest.isObject(key) else { throw error }
      let name = (try? manifest.string(key)).flatMap { ruleNames.contains($0) ? $0 : nil }
      throw error.advising(
        name.map { "say \"\(key)\": {\"rule\": \"\($0)\"}" }
          ?? """
          say {"rule": "noise"}, {"rule": "torch"}, {"rule": "exact"} or {"rtol": …, "atol": …}
          """)
    }
  }

  /// The rule that an object states; nil where it states none.
  private static func rule(_ object: ManifestObject) throws(InvalidValue) -> ToleranceRule? {
    let rtol = try bound("rtol", object)
    let atol = try bound("atol", object)
    let unused = noiseKeys.first(where: object.contains)
    guard let name = try object.string("rule") else {
      if let unused {
        throw InvalidValue(object.name(of: "rule"), expected: "noise, for \(unused)", found: "none")
      }
      guard rtol != nil || atol != nil else { return nil }
      return .explicit(
        rtol: try object.required("rtol", rtol, "a number, beside atol"),
        atol: try object.required("atol", atol, "a number, beside rtol"))
    }
    let named: [String: ToleranceRule] = [
      "noise": try noise(object), "torch": .torch, "exact": .exact,
    ]
    guard let rule = named[name] else {
      throw InvalidValue(
        object.name(of: "rule"), expected: "noise, torch or exact", found: "\"\(name)\"")
    }
    guard rtol == nil, atol == nil else {
      throw InvalidValue(
        object.name(of: "rule"), expected: "either a rule, or rtol and atol", found: "both")
    }
    if name != "noise", let unused {
      throw InvalidValue(object.name(of: unused), expected: "none beside \(name)", found: "one")
    }
    return rule
  }

  private static func noise(_ object: ManifestObject) throws(InvalidValue) -> ToleranceRule {
    let sigma = try bound("sigma", object) ?? NoiseLimits.standardZ
    guard sigma > 0 else {
      throw InvalidValue(object.name(of: "sigma"), expected: "more than 0", found: "\(sigma)")
    }
    let replicas = try object.integer("replicas") ?? 16
    guard ToleranceRule.replicaCounts.contains(replicas) else {
      throw InvalidValue(
        object.name(of: "replicas"), expected: "16, 32, … 1024", found: "\(replicas)")
    }
    return .noise(largestZ: sigma, replicas: replicas)
  }

  /// A number that is not negative; nil where the key is missing.
  private static func bound(
    _ key: String, _ object: ManifestObject
  ) throws(InvalidValue) -> Double? {
    guard let bound = try object.number(key) else { return nil }
    guard bound >= 0, bound.isFinite else {
      throw InvalidValue(object.name(of: key), expected: "0 or more", found: "\(bound)")
    }
    return bound
  }
}
