import Dispatch
import Platform
import Synchronization
package import TensorArchives
import TensorCore

/// Tensors with the same number of elements, read block by block on all cores. Each core holds one
/// block of each, whatever the size of the files.
package struct ParallelBlocks: Sendable {
  /// At least one.
  private let sources: [any TensorSource]

  private static let blockSize = 1 << 17

  private var count: Int { sources[0].header.shape.elementCount }

  /// - Parameter sources: at least one, of as many elements each.
  package init(_ sources: [any TensorSource]) {
    precondition(Set(sources.map(\.header.shape.elementCount)).count == 1)
    self.sources = sources
  }

  /// Reduces all pairs of blocks to one value. Every core starts with `initial`, adds the blocks
  /// that it has read to it, and in the end the values of all cores are merged. Which core
  /// reads which blocks is not known, but each reads its own in ascending order.
  ///
  /// - Parameters:
  ///   - add: is given a core's value, a buffer for each tensor, and the row-major offsets of the
  ///     elements that stand at the buffers' starts.
  ///   - merge: adds a core's value to the result.
  /// - Throws: the `ArchiveError` of the first block that can't be read.
  /// - Complexity: O(bytes).
  package func reduce<Partial: Sendable>(
    _ initial: Partial, _ add: @Sendable (inout Partial, [BlockBuffer], Range<Int>) -> Void,
    merging merge: (inout Partial, Partial) -> Void
  ) throws(ArchiveError) -> Partial {
    let grain = sources.map(\.grain).max() ?? 1
    let size = (Self.blockSize + grain - 1) / grain * grain
    let blocks = (count + size - 1) / size
    let workers = min(blocks, ProcessInfo.processInfo.activeProcessorCount)
    let next = Atomic(0)
    let results = Mutex<(partials: [Partial], errors: [Int: ArchiveError])>(([], [:]))
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      var partial = initial
      let buffers = sources.map {
        BlockBuffer($0.header.elementType, capacity: min(size, count))
      }
      while true {
        let block = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard block < blocks else { break }
        let range = block * size..<min((block + 1) * size, count)
        do throws(ArchiveError) {
          for (source, buffer) in zip(sources, buffers) {
            try source.read(range, into: buffer.bytes(of: range.count))
          }
        } catch {
          results.withLock { $0.errors[block] = error }
          next.store(blocks, ordering: .relaxed)
          break
        }
        add(&partial, buffers, range)
      }
      results.withLock { $0.partials.append(partial) }
    }
    let (partials, errors) = results.withLock { $0 }
    if let first = errors.min(by: { $0.key < $1.key }) { throw first.value }
    return partials.reduce(into: initial, merge)
  }

  /// The same of two tensors, of which the second is the expected one.
  ///
  /// - Parameter add: is given a core's value, the block, and the row-major offset of its first
  ///   element.
  func reducePairs<Partial: Sendable>(
    _ initial: Partial, _ add: @Sendable (inout Partial, BlockPair, _ offset: Int) -> Void,
    merging merge: (inout Partial, Partial) -> Void
  ) throws(ArchiveError) -> Partial {
    try reduce(
      initial,
      { partial, buffers, range in
        let pair = BlockPair(actual: buffers[0], expected: buffers[1], range.count)
        add(&partial, pair, range.lowerBound)
      }, merging: merge)
  }
}
