import Dispatch
import Platform
import Synchronization
import TensorArchives
import TensorCore

/// Two tensors with the same number of elements, read block by block on all cores. Each core
/// holds one block of each side, whatever the size of the files.
struct ParallelBlocks: Sendable {
  let actual: any TensorSource
  let expected: any TensorSource

  private static let blockSize = 1 << 17

  private var count: Int { expected.header.shape.elementCount }

  /// Reduces all pairs of blocks to one value. Every core starts with `initial`, adds the blocks
  /// that it has read to it, and in the end the values of all cores are merged. Which core
  /// reads which blocks is not known, but each reads its own in ascending order.
  ///
  /// - Parameters:
  ///   - add: is given a core's value, the block, and the row-major offset of its first element.
  ///   - merge: adds a core's value to the result.
  /// - Throws: the `ArchiveError` of the first block that can't be read.
  /// - Complexity: O(bytes).
  func reduce<Partial: Sendable>(
    _ initial: Partial, _ add: @Sendable (inout Partial, BlockPair, _ offset: Int) -> Void,
    merging merge: (inout Partial, Partial) -> Void
  ) throws(ArchiveError) -> Partial {
    let grain = max(actual.grain, expected.grain)
    let size = (Self.blockSize + grain - 1) / grain * grain
    let blocks = (count + size - 1) / size
    let workers = min(blocks, ProcessInfo.processInfo.activeProcessorCount)
    let next = Atomic(0)
    let results = Mutex<(partials: [Partial], errors: [Int: ArchiveError])>(([], [:]))
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      var partial = initial
      let actualBuffer = BlockBuffer(actual.header.elementType, capacity: min(size, count))
      let expectedBuffer = BlockBuffer(expected.header.elementType, capacity: min(size, count))
      while true {
        let block = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard block < blocks else { break }
        let range = block * size..<min((block + 1) * size, count)
        do throws(ArchiveError) {
          try expected.read(range, into: expectedBuffer.bytes(of: range.count))
          try actual.read(range, into: actualBuffer.bytes(of: range.count))
        } catch {
          results.withLock { $0.errors[block] = error }
          next.store(blocks, ordering: .relaxed)
          break
        }
        let pair = BlockPair(actual: actualBuffer, expected: expectedBuffer, range.count)
        add(&partial, pair, range.lowerBound)
      }
      results.withLock { $0.partials.append(partial) }
    }
    let (partials, errors) = results.withLock { $0 }
    if let first = errors.min(by: { $0.key < $1.key }) { throw first.value }
    return partials.reduce(into: initial, merge)
  }
}
