import RecurrentModel

/// The names that the tensors of a fixture have, and which of them was meant by another one.
///
/// ```swift
/// FixtureNames.slips(in: ["outputs/Y_h"], missing: ["outputs/h_n"])  // h_n for Y_h
/// ```
enum FixtureNames {
  /// What the names start with, before a slash.
  static let groups = ["state_dict", "inputs", "outputs"]

  static let inputs = ["input", "h_0", "c_0", "lengths"].map { "inputs/" + $0 }

  /// What other programs, and people, call the groups and the tensors in them: PyTorch's cells,
  /// ONNX (`Y`, `Y_h`), Keras (`state_h`) and MXNet among them. How letters are cased and what
  /// stands between words does not matter.
  private static let synonyms = [
    "inputs": ["input", "in", ""], "outputs": ["output", "out", "expected", "results", ""],
    "input": ["inputs", "x", "data"],
    "lengths": ["length", "lens", "seq_lens", "seq_lengths", "sequence_lens", "sequence_lengths"],
    "h_0": ["h", "hx", "hidden", "initial_h", "init_h", "state"],
    "c_0": ["c", "cx", "cell", "initial_c", "init_c"],
    "output": ["outputs", "out", "y"],
    "h_n": ["h", "hy", "h_t", "y_h", "h_0", "h_1", "hidden", "state_h", "final_h", "state"],
    "c_n": ["c", "cy", "c_t", "y_c", "c_0", "c_1", "cell", "state_c", "final_c"],
  ]

  /// The unknown names that mean a missing tensor.
  ///
  /// - Parameter missing: the known names that are not there, with their groups. No two unknown
  ///   names are taken to mean the same.
  static func slips(in unknown: [String], missing: [String]) -> [NearNames.Slip] {
    let named = Dictionary(
      unknown.map { (normalized($0), $0) }, uniquingKeysWith: { first, _ in first })
    var slips: [NearNames.Slip] = []
    for meant in missing {
      let found = forms(of: meant).lazy.compactMap { named[$0] }.first { name in
        !slips.contains { $0.found == name }
      }
      if let found { slips.append((found, meant)) }
    }
    return slips
  }

  /// The first of some slips as an error, which asks about all; nil where there is none.
  static func error(_ slips: [NearNames.Slip]) -> InvalidValue? {
    slips.first.map { slip in
      InvalidValue(
        slip.found, expected: "the name of a tensor of the case", found: "another",
        remedy: NearNames.question(slips))
    }
  }

  /// All forms of a name with a group, its own first.
  private static func forms(of name: String) -> [String] {
    let words = name.split(separator: "/", maxSplits: 1).map(String.init)
    guard words.count == 2 else { return [] }
    func all(_ word: String) -> [String] { [word] + (synonyms[word] ?? []) }
    return all(words[0]).flatMap { group in all(words[1]).map { normalized(group + $0) } }
  }

  private static func normalized(_ name: String) -> String {
    name.lowercased().filter { !"_/.-".contains($0) }
  }
}

extension Manifest {
  /// Refuses names of tensors that no case of these modules has, where what was meant by them
  /// can be told.
  ///
  /// - Throws: `InvalidValue`, naming the tensor.
  func checkNames(of tensors: some Collection<String>) throws(InvalidValue) {
    let outputs = modules.flatMap { module in
      module.results.map { Results.name($0, of: module.name) }
    }
    let known = FixtureNames.inputs + (outputs + ["output"]).map { "outputs/" + $0 }
    let unknown = tensors.filter { !known.contains($0) && !$0.hasPrefix("state_dict/") }.sorted()
    let missing = known.filter { !tensors.contains($0) }
    guard
      let error = Self.parameter(among: unknown)
        ?? FixtureNames.error(FixtureNames.slips(in: unknown, missing: missing))
    else { return }
    throw error
  }

  /// That the name of a parameter does not start with `state_dict/`; nil where none is unknown.
  private static func parameter(among unknown: [String]) -> InvalidValue? {
    let found = unknown.lazy.compactMap { name in
      RecurrentModule.parameterName(endOf: name).map { (found: name, own: $0) }
    }.first
    guard let (found, own) = found else { return nil }
    let meant = "state_dict/" + own
    let error = FixtureNames.error([(found, meant)])
    guard !found.contains("/"), !found.hasPrefix("state_dict") else { return error }
    // A file in the case's folder is read as a part of the fixture, under the names that it has.
    let file = BorrowedTensors(file: "state_dict.npz", prefix: String(found.dropLast(own.count)))
    return error?.advising(
      "did you mean \(meant)? If a file in the case's folder holds the parameters by these names, "
        + file.advice + ", by the name that the file has")
  }
}
