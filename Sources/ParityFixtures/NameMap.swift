package import RecurrentModel

/// Which tensors of a file belong to which expected names, where the two differ, as options state
/// it: `output=Y` says that `Y` is `output`.
///
/// ```swift
/// let map = try NameMap(parsing: ["output=Y", "h_n=Y_h"])
/// map.actual          // ["output": "Y", "h_n": "Y_h"]
/// map.expected("Y_h")  // h_n
/// ```
package struct NameMap: Sendable, Equatable {
  /// The option that states it.
  package static let option = "--map"

  /// The names in the file, by the names that are expected.
  package let actual: [String: String]

  /// A map that leaves each name as it is.
  package static let none = NameMap(actual: [:])

  private init(actual: [String: String]) { self.actual = actual }

  /// - Parameter texts: each `EXPECTED=ACTUAL`.
  /// - Throws: `InvalidValue` for another form, and for a name that is mapped twice.
  package init(parsing texts: [String]) throws(InvalidValue) {
    var actual: [String: String] = [:]
    for text in texts {
      guard let (name, other) = Self.split(text) else {
        throw InvalidValue(Self.option, expected: "EXPECTED=ACTUAL", found: text)
      }
      guard !actual.values.contains(other), actual.updateValue(other, forKey: name) == nil else {
        throw InvalidValue(
          Self.option, expected: "every tensor once", found: "one of \(text) twice")
      }
    }
    self.actual = actual
  }

  /// What stands before and behind the last `=`, since a name can hold one too; nil where
  /// either is empty.
  package static func split(_ text: String) -> (name: String, rest: String)? {
    guard let sign = text.lastIndex(of: "=") else { return nil }
    let (name, rest) = (String(text[..<sign]), String(text[text.index(after: sign)...]))
    return name.isEmpty || rest.isEmpty ? nil : (name, rest)
  }

  /// The same without what all names may start with, on either side.
  ///
  /// - Parameter group: `outputs/`, say.
  func without(_ group: String) -> NameMap {
    func short(_ name: String) -> String {
      name.hasPrefix(group) ? String(name.dropFirst(group.count)) : name
    }
    return NameMap(
      actual: Dictionary(
        actual.map { (short($0), short($1)) }, uniquingKeysWith: { first, _ in first }))
  }

  /// The name that a tensor of the file is expected by: its own where it is not mapped.
  func expected(_ name: String) -> String { actual.first { $0.value == name }?.key ?? name }

  /// The options that state pairs of names, as they are typed.
  package static func options(_ pairs: [(name: String, actual: String)]) -> String {
    pairs.map { "\(option) " + quoted("\($0.name)=\($0.actual)") }.joined(separator: " ")
  }

  /// The options that bring together the results of two files that have no name in common, where
  /// one calls them as PyTorch does and the other by names that are known for them; nil where it
  /// does not.
  package static func proposal(expected: [String], actual: [String]) -> String? {
    let group = "outputs/"
    func results(_ names: [String]) -> [String] {
      ["output", "h_n", "c_n"].map { group + $0 }.filter { name in
        names.contains(name) || names.contains(String(name.dropFirst(group.count)))
      }
    }
    func pairs(_ own: [String], _ others: [String]) -> [(name: String, actual: String)] {
      FixtureNames.slips(in: others, missing: results(own)).map { slip in
        (String(slip.meant.dropFirst(group.count)), slip.found)
      }
    }
    let found = pairs(expected, actual)
    if !found.isEmpty { return options(found) }
    let exchanged = pairs(actual, expected)
    return exchanged.isEmpty ? nil : options(exchanged.map { ($0.actual, $0.name) })
  }

  /// A word as a shell takes it.
  private static func quoted(_ word: String) -> String {
    let isPlain = word.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "=_./:-".contains($0))
    }
    return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
