/// Memory of a fixed size, aligned for the widest vectors. It is freed with the last reference
/// to it.
///
/// It is read and written through its pointer, without any lock: threads may share it as long
/// as no two of them touch the same element while one of them writes.
final class Buffer<Scalar: BitwiseCopyable>: @unchecked Sendable {
  let start: UnsafeMutablePointer<Scalar>
  let count: Int

  init(repeating value: Scalar, count: Int) {
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, count) * MemoryLayout<Scalar>.stride, alignment: 64)
    start = bytes.bindMemory(to: Scalar.self, capacity: max(1, count))
    start.initialize(repeating: value, count: count)
    self.count = count
  }

  deinit { UnsafeMutableRawPointer(start).deallocate() }
}
