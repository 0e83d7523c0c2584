package import TensorArchives

/// Which tensor of one archive is compared with which tensor of another.
package struct NameMatching: Sendable, Equatable {
  package struct Pair: Sendable, Equatable {
    /// The name that a report gives the pair.
    package let name: String
    /// The name of the tensor in the expected archive.
    package let expected: String
    /// The name of the tensor in the actual archive.
    package let actual: String
  }

  package let pairs: [Pair]
  /// The names of the tensors that are in the expected archive alone.
  package let missing: [String]
  /// The names of the tensors that are in the actual archive alone.
  package let extra: [String]

  /// Pairs tensors that have the same name, or that `rules.map` brings together. Where each
  /// archive holds a single tensor, these are a pair whatever their names.
  ///
  /// - Throws: `ArchiveError` where the rules name a tensor that is not there.
  package init(
    expected: NamedTensors, actual: NamedTensors, rules: ComparisonRules
  ) throws(ArchiveError) {
    for name in Set(rules.map.keys).union(rules.byName.keys).sorted() { try expected.require(name) }
    for name in rules.map.values.sorted() { try actual.require(name) }
    if expected.names.count == 1, actual.names.count == 1 {
      pairs = [Pair(name: expected.names[0], expected: expected.names[0], actual: actual.names[0])]
      (missing, extra) = ([], [])
      return
    }
    // A tensor that the map gives to one name is no other's, not even that of its own name.
    let unmapped = Set(actual.names).subtracting(rules.map.values)
    pairs = expected.names.compactMap { name in
      let other = rules.map[name] ?? (unmapped.contains(name) ? name : nil)
      return other.map { Pair(name: name, expected: name, actual: $0) }
    }
    let paired = Set(pairs.map(\.name))
    missing = expected.names.filter { !paired.contains($0) }
    extra = Set(actual.names).subtracting(pairs.map(\.actual)).sorted()
  }
}
