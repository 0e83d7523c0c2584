import ArchiveComparison
package import TensorArchives
import TensorCore

/// Whether two runs of an implementation have given the same bits.
package struct Determinism {
  /// The first value, in the order of execution, at which they differ; nil where they are the same.
  package let firstDifference: String?
  /// How many values were in both runs.
  package let compared: Int

  /// - Parameters:
  ///   - values: in the order of execution, by the names of the reference.
  ///   - first: the tensor of the first run in a value's place; nil where there is none.
  ///   - second: the same of the second run.
  /// - Throws: `ArchiveError` where a tensor can't be read.
  /// - Complexity: O(bytes).
  package init(
    _ values: [String], _ first: Trace.Actual, _ second: Trace.Actual
  ) throws(ArchiveError) {
    var compared = 0
    for value in values {
      guard let one = try first(value), let other = try second(value) else { continue }
      compared += 1
      guard one.header == other.header, try Self.areSame(one, other) else {
        firstDifference = value
        self.compared = compared
        return
      }
    }
    firstDifference = nil
    self.compared = compared
  }

  private static func areSame(
    _ one: any TensorSource, _ other: any TensorSource
  ) throws(ArchiveError) -> Bool {
    guard one.header.shape.elementCount > 0 else { return true }
    return try ParallelBlocks([one, other]).reduce(
      true,
      { same, buffers, range in
        let (a, b) = (buffers[0].doubles(range.count), buffers[1].doubles(range.count))
        same = same && a.indices.allSatisfy { a[$0].bitPattern == b[$0].bitPattern }
      }, merging: { $0 = $0 && $1 })
  }
}
