import JSON
import RecurrentModel

/// One JSON object of a manifest, read key by key. A value of the wrong type and an unknown key
/// are an `InvalidValue` that names the key with all that lead to it, `arguments.hidden_size`.
///
/// ```swift
/// let arguments = try manifest.object("arguments", known: ["hidden_size", "bias"])
/// let size = try arguments?.integer("hidden_size")  // nil where it is left out
/// ```
struct ManifestObject {
  private let values: [String: JSONValue]
  /// The keys that lead here, for error messages.
  let path: [String]

  /// - Parameters:
  ///   - path: the keys that lead to the object; none for the manifest itself.
  ///   - known: all keys that it may have; nil for any.
  /// - Throws: `InvalidValue` where `value` is no object, or has a key that is not in `known`.
  init(_ value: JSONValue, at path: [String] = [], known: [String]?) throws(InvalidValue) {
    guard case .object(let values) = value else {
      throw InvalidValue(
        path.isEmpty ? "manifest" : path.joined(separator: "."), expected: "an object",
        found: value.summary)
    }
    self.values = values
    self.path = path
    if let known, let unknown = values.keys.filter({ !known.contains($0) }).min() {
      let slips = NearNames.slips(in: [unknown], missing: known.filter { values[$0] == nil })
      throw InvalidValue(
        name(of: String(unknown.prefix(60))),
        expected: "one of the keys \(known.joined(separator: ", "))",
        found: "an unknown key", remedy: NearNames.question(slips))
    }
  }

  /// All keys, sorted.
  var keys: [String] { values.keys.sorted() }

  func contains(_ key: String) -> Bool { values[key] != nil }

  /// The value of a key, of any type; nil where the key is missing.
  func value(_ key: String) -> JSONValue? { values[key] }

  /// Whether the value of a key is an object.
  func isObject(_ key: String) -> Bool {
    if case .object = values[key] { true } else { false }
  }

  /// A key with all that lead to it, for error messages: `arguments.hidden_size`.
  func name(of key: String) -> String { (path + [key]).joined(separator: ".") }

  // Each of the following gives nil where the key is missing, and throws `InvalidValue` where
  // its value is of another type.

  func string(_ key: String) throws(InvalidValue) -> String? {
    try value(key, "a string") { if case .string(let text) = $0 { text } else { nil } }
  }

  /// A string that is the raw value of a case of `type`.
  ///
  /// - Parameter another: one more name that may stand there, for the error message.
  func name<Name: RawRepresentable & CaseIterable>(
    _ key: String, _ type: Name.Type, or another: String? = nil
  ) throws(InvalidValue) -> Name? where Name.RawValue == String {
    guard let text = try string(key) else { return nil }
    guard let name = Name(rawValue: text) else {
      let known = (type.allCases.map(\.rawValue) + [another].compactMap(\.self))
        .joined(separator: ", ")
      throw InvalidValue(
        self.name(of: key), expected: "one of \(known)", found: values[key]?.summary ?? "none")
    }
    return name
  }

  func boolean(_ key: String) throws(InvalidValue) -> Bool? {
    try value(key, "true or false") { if case .boolean(let value) = $0 { value } else { nil } }
  }

  func integer(_ key: String) throws(InvalidValue) -> Int? {
    try value(key, "an integer") { if case .integer(let value) = $0 { value } else { nil } }
  }

  func number(_ key: String) throws(InvalidValue) -> Double? {
    try value(key, "a number") {
      switch $0 {
      case .integer(let value): Double(value)
      case .number(let value): value
      default: nil
      }
    }
  }

  /// - Parameter known: all keys that the object may have; nil for any.
  func object(_ key: String, known: [String]?) throws(InvalidValue) -> ManifestObject? {
    guard let value = values[key] else { return nil }
    return try ManifestObject(value, at: path + [key], known: known)
  }

  func strings(_ key: String) throws(InvalidValue) -> [String]? {
    try value(key, "an array of strings") {
      guard case .array(let values) = $0 else { return nil }
      let strings = values.compactMap { if case .string(let text) = $0 { text } else { nil } }
      return strings.count == values.count ? strings : nil
    }
  }

  /// One positive integer, or an array of at least one.
  func chunkSizes(_ key: String) throws(InvalidValue) -> ChunkSizes? {
    func positive(_ value: JSONValue) -> Int? {
      if case .integer(let number) = value, number > 0 { number } else { nil }
    }
    return try value(key, "a number of steps of at least 1, or an array of them") { value in
      guard case .array(let values) = value else { return positive(value).map(ChunkSizes.each) }
      let sizes = values.compactMap(positive)
      return sizes.isEmpty || sizes.count < values.count ? nil : .all(sizes)
    }
  }

  /// The objects of an array, which are called `modules[2]` and so on in error messages.
  func objects(_ key: String, known: [String]) throws(InvalidValue) -> [ManifestObject]? {
    let array = try value(key, "an array") {
      if case .array(let values) = $0 { values } else { nil }
    }
    guard let array else { return nil }
    var objects: [ManifestObject] = []
    for (index, value) in array.enumerated() {
      objects.append(try ManifestObject(value, at: path + ["\(key)[\(index)]"], known: known))
    }
    return objects
  }

  /// A value that was read from the object, and must not be missing.
  ///
  /// - Parameter what: what is expected, for the error message.
  /// - Throws: `InvalidValue` where `value` is nil.
  func required<Value>(_ key: String, _ value: Value?, _ what: String) throws(InvalidValue)
    -> Value
  {
    guard let value else { throw InvalidValue(name(of: key), expected: what, found: "none") }
    return value
  }

  private func value<Value>(
    _ key: String, _ expected: String, _ convert: (JSONValue) -> Value?
  ) throws(InvalidValue) -> Value? {
    guard let value = values[key] else { return nil }
    guard let converted = convert(value) else {
      throw InvalidValue(name(of: key), expected: expected, found: value.summary)
    }
    return converted
  }
}
