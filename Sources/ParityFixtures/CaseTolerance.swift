import RecurrentModel
package import TensorComparison

/// The tolerance that a case states, with exceptions by output.
package struct CaseTolerance: Sendable, Equatable {
  /// For every output without an exception; nil for the default.
  package let rule: ToleranceRule?
  /// By the names `output`, `h_n` and `c_n`.
  package let exceptions: [String: ToleranceRule]

  package static let standard = CaseTolerance(rule: nil, exceptions: [:])

  /// The default rule, for a case that states none.
  package static let defaultRule = ToleranceRule.standardNoise

  package func rule(for output: String) -> ToleranceRule {
    exceptions[output] ?? rule ?? Self.defaultRule
  }

  private static let ruleKeys = ["rule", "rtol", "atol", "sigma", "replicas"]
  private static let noiseKeys = ["sigma", "replicas"]
}

extension CaseTolerance {
  /// - Parameter outputs: the names that there can be exceptions for; nil for any.
  init(_ object: ManifestObject?, outputs names: [String]?) throws(InvalidValue) {
    guard let object else {
      self = .standard
      return
    }
    rule = try Self.rule(object)
    var exceptions: [String: ToleranceRule] = [:]
    if let outputs = try object.object("outputs", known: names) {
      for name in outputs.keys {
        guard let exception = try outputs.object(name, known: Self.ruleKeys) else { continue }
        exceptions[name] = try exception.required(
          "rule", try Self.rule(exception), "a rule, or rtol and atol")
      }
    }
    self.exceptions = exceptions
  }

  static func manifestObject(in manifest: ManifestObject) throws(InvalidValue) -> ManifestObject? {
    try manifest.object("tolerance", known: ruleKeys + ["outputs"])
  }

  private static func rule(_ object: ManifestObject) throws(InvalidValue) -> ToleranceRule? {
    let rtol = try bound("rtol", object)
    let atol = try bound("atol", object)
    if let name = try object.string("rule") {
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
      if name != "noise", let stray = noiseKeys.first(where: object.contains) {
        throw InvalidValue(object.name(of: stray), expected: "none beside \(name)", found: "one")
      }
      return rule
    }
    if let stray = noiseKeys.first(where: object.contains) {
      throw InvalidValue(object.name(of: "rule"), expected: "noise, for \(stray)", found: "none")
    }
    guard rtol != nil || atol != nil else { return nil }
    return .explicit(
      rtol: try object.required("rtol", rtol, "a number, beside atol"),
      atol: try object.required("atol", atol, "a number, beside rtol"))
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
