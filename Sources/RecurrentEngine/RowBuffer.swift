/// Rows of elements, zero to begin with. Each row is padded to whole vectors, so that a kernel
/// can read and write beyond the last element that counts.
struct RowBuffer<Scalar: KernelScalar>: Sendable {
  private let buffer: Buffer<Scalar>
  /// The number of elements from the start of one row to the start of the next. It is never a
  /// whole number of memory pages, since all rows would then compete for the same few places
  /// of a processor's cache.
  let stride: Int

  /// - Parameters:
  ///   - size: the number of elements of a row that count.
  ///   - lanes: the number of elements of a vector.
  init(rows: Int, size: Int, lanes: Int) {
    let whole = (size + lanes - 1) / lanes * lanes
    stride = whole * MemoryLayout<Scalar>.stride % 4096 == 0 ? whole + lanes : whole
    buffer = Buffer(repeating: 0, count: rows * stride)
  }

  var start: UnsafeMutablePointer<Scalar> { buffer.start }

  func row(_ number: Int) -> UnsafeMutablePointer<Scalar> { start + number * stride }

  /// Pointers to the first `count` rows, as the kernels take them.
  func pointers(count: Int) -> Buffer<UnsafeRawPointer?> {
    let pointers = Buffer<UnsafeRawPointer?>(repeating: nil, count: count)
    for number in 0..<count { pointers.start[number] = UnsafeRawPointer(row(number)) }
    return pointers
  }
}
