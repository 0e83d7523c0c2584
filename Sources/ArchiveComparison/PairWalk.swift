import Dispatch
import Platform
import Synchronization
import TensorArchives
import TensorCore

/// Two tensors of as many elements, walked block by block on all cores. Each core
/// holds one block of each side, whatever the size of the files.
struct PairWalk: Sendable {
  let actual: any TensorSource
  let expected: any TensorSource

  private static let blockSize = 1 << 17

  private var count: Int { expected.header.shape.elementCount }

  /// Hands every block to `add`, each core with a result of its own, and merges
  /// these. A core meets its blocks in their order, and any core any block.
  ///
  /// - Throws: the `ArchiveError` of the first block that can't be read.
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
      let kind = BlockPair.Kind(actual.header.elementType, expected.header.elementType)
      let capacity = min(size, count)
      let ours = BlockBuffer(actual.header.elementType, as: kind, capacity: capacity)
      let theirs = BlockBuffer(expected.header.elementType, as: kind, capacity: capacity)
      while true {
        let block = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard block < blocks else { break }
        let range = block * size..<min((block + 1) * size, count)
        do throws(ArchiveError) {
          try expected.read(range, into: theirs.bytes(of: range.count))
          try actual.read(range, into: ours.bytes(of: range.count))
        } catch {
          results.withLock { $0.errors[block] = error }
          next.store(blocks, ordering: .relaxed)
          break
        }
        add(&partial, Self.pair(ours, theirs, kind, range.count), range.lowerBound)
      }
      results.withLock { $0.partials.append(partial) }
    }
    let (partials, errors) = results.withLock { $0 }
    if let first = errors.min(by: { $0.key < $1.key }) { throw first.value }
    return partials.reduce(into: initial, merge)
  }

  private static func pair(
    _ actual: BlockBuffer, _ expected: BlockBuffer, _ kind: BlockPair.Kind, _ count: Int
  ) -> BlockPair {
    switch kind {
    case .floats: .floats(actual: actual.floats(count), expected: expected.floats(count))
    case .doubles: .doubles(actual: actual.doubles(count), expected: expected.doubles(count))
    case .integers: .integers(actual: actual.integers(count), expected: expected.integers(count))
    }
  }
}
