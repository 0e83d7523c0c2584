/// Memory of fixed size, aligned for the widest vectors.
///
/// It is written through its pointer by one thread at a time for each element, and so
/// can be shared by threads that write to different ones.
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
