package import TensorArchives
import TensorComparison
import TensorCore

/// Two archives held to each other, tensor by tensor.
package struct ArchivePair: Sendable {
  package let expected: NamedTensors
  package let actual: NamedTensors
  package let matching: NameMatching
  private let rules: ComparisonRules

  /// - Throws: `ArchiveError` where the rules name a tensor that is not there.
  package init(
    expected: NamedTensors, actual: NamedTensors, rules: ComparisonRules
  ) throws(ArchiveError) {
    self.expected = expected
    self.actual = actual
    self.rules = rules
    matching = try NameMatching(expected: expected, actual: actual, rules: rules)
  }

  /// Every tensor of either side, by its name. O(bytes), twice for tensors that
  /// differ; memory for one block a core, and for the whole of a tensor that is
  /// packed or stands in another order.
  package func fates() -> [(name: String, fate: TensorFate)] {
    let pairs = matching.pairs.map { pair in
      (pair.name, fate { () throws(ArchiveError) in try compare(pair) })
    }
    let missing = matching.missing.map { name in
      (name, fate { () throws(ArchiveError) in .missing(try expected.header(of: name)) })
    }
    let extra = matching.extra.map { name in
      (
        name,
        fate { () throws(ArchiveError) in
          .extra(try actual.header(of: name), isAllowed: rules.ignoresExtra)
        }
      )
    }
    return pairs + missing + extra
  }

  private func fate(_ make: () throws(ArchiveError) -> TensorFate) -> TensorFate {
    do throws(ArchiveError) { return try make() } catch { return .unreadable(error) }
  }

  private func compare(_ pair: NameMatching.Pair) throws(ArchiveError) -> TensorFate {
    let (actual, expected) = (
      try self.actual.source(of: pair.actual), try self.expected.source(of: pair.expected)
    )
    let (ours, theirs) = (actual.header, expected.header)
    let limits = rules.limits(pair.name, ours.elementType, theirs.elementType)
    let bounds = Bounds(limits, actual.header.elementType, expected.header.elementType)
    guard ours.shape == theirs.shape else {
      return .shapesDiffer(
        actual: ours, expected: theirs,
        try Rearrangement.found(actual: actual, expected: expected, bounds))
    }
    let walk = PairWalk(actual: actual, expected: expected)
    let tally = try walk.reduce(
      Tally(), { $0.add($1, offset: $2, bounds) }, merging: { $0.merge($1) })
    try expected.verify()
    try actual.verify()
    var detail: DifferenceDetail?
    if tally.mismatches > 0 || rules.isDetailed {
      detail = try walk.reduce(
        DifferenceDetail(theirs.shape), { $0.add($1, offset: $2, bounds) },
        merging: { $0.merge($1) })
    }
    func place(_ extreme: Tally.Extreme?) throws(ArchiveError) -> ComparedTensor.Place? {
      guard let extreme else { return nil }
      return ComparedTensor.Place(
        offset: extreme.offset, value: extreme.value,
        actual: try number(actual, extreme.offset), expected: try number(expected, extreme.offset))
    }
    return .compared(
      ComparedTensor(
        actual: ours, expected: theirs, limits: limits, tally: tally,
        largestAbsolute: try place(tally.largestAbsolute),
        largestRelative: try place(tally.largestRelative), detail: detail,
        rearrangement: tally.mismatches > 0
          ? try Rearrangement.found(actual: actual, expected: expected, bounds) : nil,
        ignoresType: rules.ignoresType))
  }

  private func number(
    _ source: any TensorSource, _ offset: Int
  ) throws(ArchiveError) -> ComparedTensor.Number {
    let element = try source.block(offset..<offset + 1)
    if let integer = element.integers?.first { return .integer(integer) }
    return .real(element.double(at: 0), element.elementType)
  }
}
