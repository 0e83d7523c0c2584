package import TensorArchives
import TensorComparison
import TensorCore

/// Two archives whose tensors are compared by their names.
///
/// ```swift
/// let pair = try ArchivePair(
///   expected: NamedTensors(try TensorContainer.open("pytorch.npz")),
///   actual: NamedTensors(try TensorContainer.open("mine.npz")), rules: ComparisonRules())
/// for (name, result) in pair.results() where !result.passes { print(name, "differs") }
/// ```
package struct ArchivePair: Sendable {
  /// The tensors that are taken to be right.
  package let expected: NamedTensors
  /// The tensors that are judged.
  package let actual: NamedTensors
  /// Which tensor of one archive is compared with which tensor of the other.
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

  /// Compares all tensors.
  ///
  /// - Returns: one result for every tensor of either archive, with its name: first those that
  ///   are in both, then those that are missing, then those that are extra.
  /// - Complexity: O(bytes), twice for tensors that differ. Memory for one block of each side
  ///   a core, and for the whole of a tensor that is packed as one piece or is not row-major.
  package func results() -> [(name: String, result: TensorResult)] {
    matching.pairs.map { ($0.name, result(of: $0, compared)) }
      + matching.missing.map { ($0, result(of: $0, missing)) }
      + matching.extra.map { ($0, result(of: $0, extra)) }
  }

  private func result<Tensors>(
    of tensors: Tensors, _ make: (Tensors) throws(ArchiveError) -> TensorResult
  ) -> TensorResult {
    do throws(ArchiveError) { return try make(tensors) } catch { return .unreadable(error) }
  }

  private func missing(_ name: String) throws(ArchiveError) -> TensorResult {
    .missing(try expected.header(of: name))
  }

  private func extra(_ name: String) throws(ArchiveError) -> TensorResult {
    .extra(try actual.header(of: name), isAllowed: rules.ignoresExtra)
  }

  private func compared(_ pair: NameMatching.Pair) throws(ArchiveError) -> TensorResult {
    let actual = try self.actual.source(of: pair.actual)
    let expected = try self.expected.source(of: pair.expected)
    let types = (actual: actual.header.elementType, expected: expected.header.elementType)
    let limits = rules.limits(pair.name, types.actual, types.expected)
    let bounds = Bounds(limits, types.actual, types.expected)
    guard actual.header.shape == expected.header.shape else {
      return .shapesDiffer(
        actual: actual.header, expected: expected.header,
        try Rearrangement.found(actual: actual, expected: expected, bounds))
    }
    let blocks = ParallelBlocks([actual, expected])
    let tally = try blocks.reducePairs(
      Tally(), { $0.add($1, offset: $2, bounds) }, merging: { $0.merge($1) })
    try expected.verify()
    try actual.verify()
    let detail =
      tally.mismatches > 0 || rules.isDetailed
      ? try blocks.reducePairs(
        DifferenceDetail(expected.header.shape), { $0.add($1, offset: $2, bounds) },
        merging: { $0.merge($1) }) : nil
    func withNumbers(_ extreme: Tally.Extreme?) throws(ArchiveError) -> ComparedTensor.Extreme? {
      guard let extreme else { return nil }
      return ComparedTensor.Extreme(
        offset: extreme.offset, value: extreme.value,
        actual: try number(actual, extreme.offset), expected: try number(expected, extreme.offset))
    }
    return .compared(
      ComparedTensor(
        actual: actual.header, expected: expected.header, limits: limits, tally: tally,
        largestAbsolute: try withNumbers(tally.largestAbsolute),
        largestRelative: try withNumbers(tally.largestRelative), detail: detail,
        rearrangement: tally.mismatches > 0
          ? try Rearrangement.found(actual: actual, expected: expected, bounds) : nil,
        ignoresType: rules.ignoresType))
  }

  /// The element at a row-major offset. O(1), or O(chunk) in a file that is packed in chunks.
  private func number(
    _ source: any TensorSource, _ offset: Int
  ) throws(ArchiveError) -> ComparedTensor.Number {
    let element = try source.block(offset..<offset + 1)
    if let integer = element.integers?.first { return .integer(integer) }
    return .real(element.double(at: 0), element.elementType)
  }
}
