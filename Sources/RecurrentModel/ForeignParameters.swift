import TensorCore

/// Parameters that do something no module of the stated class does: those of a projection or of
/// peephole connections.
///
/// It is asked only where parameters do not fit, so that no case that is sound depends on it.
struct ForeignParameters {
  /// What says so.
  let error: InvalidValue

  /// What other programs, and people, put before and behind the letter of a gate in the name of a
  /// peephole's weight, without `_` and `.`: `weight_ci`, `w_ci`, TensorFlow's `w_i_diag` and
  /// Lasagne's `W_cell_to_ingate` among them.
  private static let peepholes = [
    (before: "weightc", behind: ""), ("weightsc", ""), ("wc", ""), ("weightp", ""), ("wp", ""),
    ("w", "diag"), ("wcellto", "ngate"), ("wcellto", "orgetgate"), ("wcellto", "utgate"),
  ]

  /// - Parameter shapes: of all parameters, by their names in the module.
  /// - Returns: nil where none is of another kind of module.
  init?(_ shapes: [String: Shape], of module: RecurrentModule) {
    let strangers = shapes.keys.sorted().lazy.compactMap { name in
      Self.kind(name, of: module).map { (name: name, kind: $0) }
    }
    guard let (name, kind) = strangers.first else { return nil }
    error = InvalidValue(
      "state_dict/" + name, expected: "no such parameter",
      found: "a tensor \(shapes[name] ?? [])", remedy: kind)
  }

  /// What a parameter would do that no such module does; nil for a name that says nothing of the
  /// kind.
  private static func kind(_ name: String, of module: RecurrentModule) -> String? {
    if name.hasPrefix(ParameterSpecification.Role.weightHR.rawValue), module != .lstm {
      return "nn.\(module.rawValue) has no projection: proj_size and weight_hr are nn.LSTM's"
    }
    return isOfPeephole(name)
      ? "these are peephole connections; nn.\(module.rawValue) has none" : nil
  }

  private static func isOfPeephole(_ name: String) -> Bool {
    let plain = name.lowercased().replacing(#/(_l[0-9]+)?(_reverse)?$/#, with: "")
      .filter { !"_.".contains($0) }
    if plain.contains("peephole") { return true }
    return peepholes.contains { before, behind in
      guard plain.hasPrefix(before), plain.hasSuffix(behind) else { return false }
      let gate = plain.dropFirst(before.count).dropLast(behind.count)
      return ["i", "f", "o"].contains(gate)
    }
  }
}
