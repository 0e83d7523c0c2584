package import TensorArchives

/// Which tensor of one archive belongs to which of another.
package struct NameMatching: Sendable, Equatable {
  package struct Pair: Sendable, Equatable {
    /// By which the report calls it.
    package let name: String
    package let expected: String
    package let actual: String
  }

  package let pairs: [Pair]
  /// Only in the expected archive.
  package let missing: [String]
  /// Only in the actual one.
  package let extra: [String]

  /// Tensors belong together by their names, or by `map` from an expected name to an
  /// actual one. Where each side is one tensor, they do whatever their names.
  ///
  /// - Throws: `ArchiveError` where `map` or `named` names a tensor that is not there.
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
    let taken = Set(rules.map.values)
    let available = Set(actual.names)
    var (pairs, missing): ([Pair], [String]) = ([], [])
    for name in expected.names {
      if let other = rules.map[name] ?? (taken.contains(name) ? nil : name),
        available.contains(other)
      {
        pairs.append(Pair(name: name, expected: name, actual: other))
      } else {
        missing.append(name)
      }
    }
    self.pairs = pairs
    self.missing = missing
    extra = available.subtracting(pairs.map(\.actual)).sorted()
  }
}

/// The tensors of an archive that are compared, each with a name: that of the file
/// where a file holds one without.
package struct NamedTensors: Sendable {
  package let archive: any TensorArchive
  package let names: [String]
  private let nameless: String?

  /// - Parameter only: one of its tensors; nil for all.
  /// - Throws: `ArchiveError` where there is no such tensor.
  package init(_ archive: any TensorArchive, only: String? = nil) throws(ArchiveError) {
    self.archive = archive
    if let only {
      guard archive.tensorNames.contains(only) else {
        throw ArchiveError(
          path: archive.path, member: only, .noSuchMember(available: archive.tensorNames))
      }
      (names, nameless) = ([only], nil)
    } else if archive.tensorNames == [""] {
      let stem = TensorContainer.stem(of: archive.path)
      (names, nameless) = ([stem], stem)
    } else {
      (names, nameless) = (archive.tensorNames, nil)
    }
  }

  func require(_ name: String) throws(ArchiveError) {
    guard names.contains(name) else {
      throw ArchiveError(path: archive.path, member: name, .noSuchMember(available: names))
    }
  }

  package func header(of name: String) throws(ArchiveError) -> TensorHeader {
    try archive.header(of: name == nameless ? "" : name)
  }

  func source(of name: String) throws(ArchiveError) -> any TensorSource {
    try archive.source(of: name == nameless ? "" : name)
  }
}
