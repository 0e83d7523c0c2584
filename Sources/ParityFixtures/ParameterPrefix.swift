import RecurrentModel

/// What the names of a case's parameters start with where they are those of a larger model,
/// `encoder.gru.` say.
struct ParameterPrefix {
  private let prefixes: [String]
  /// A parameter that the case needs, and the names that end in it.
  private let needed: String
  private let found: [String]

  /// - Parameters:
  ///   - names: of the parameters that are there.
  ///   - modules: those of the case.
  /// - Returns: nil where no prefix makes the names of these all parameters that the modules
  ///   must have.
  init?(_ names: some Collection<String>, of modules: [ChainArguments]) {
    let needed = modules.flatMap(\.neededParameters)
    let names = Set(names)
    guard let first = needed.first, !names.isSuperset(of: needed) else { return nil }
    prefixes = names.filter { $0.hasSuffix(first) }.map { String($0.dropLast(first.count)) }
      .filter { prefix in
        prefix.last.map { !$0.isLetter && !$0.isNumber } == true
          && names.isSuperset(of: needed.map { prefix + $0 })
      }.sorted()
    guard !prefixes.isEmpty else { return nil }
    self.needed = first
    found = prefixes.map { $0 + first }
  }

  /// - Parameter borrowed: where the manifest takes the parameters from; nil for the case's own
  ///   files.
  func error(_ borrowed: BorrowedTensors?) -> InvalidValue {
    let own = borrowed ?? BorrowedTensors(file: "model.npz", prefix: "")
    let advice = BorrowedTensors(file: own.file, prefix: (own.prefix ?? "") + prefixes[0]).advice
    return InvalidValue(
      "state_dict/" + needed, expected: "a tensor", found: "none",
      remedy: "state_dict has \(found.joined(separator: ", ")), …: a prefix? \(advice)"
        + (borrowed == nil
          ? " of a folder that holds them as \(own.file), or save that module's own state_dict()"
          : ""))
  }
}

extension ChainArguments {
  /// The names of the parameters that the module has whatever its arguments are.
  fileprivate var neededParameters: [String] {
    let own: [String] =
      switch layer {
      case .embedding, .linear: ["weight"]
      case .recurrent(let arguments, _): arguments.module.neededParameters
      case .directionMerge, .softmax, .logSoftmax: []
      }
    return own.map { Results.name($0, of: name) }
  }
}
