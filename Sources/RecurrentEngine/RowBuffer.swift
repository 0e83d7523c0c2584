/// Rows of elements in whole vectors, zero to begin with.
struct RowBuffer<Scalar: BitwiseCopyable>: Sendable {
  private let buffer: Buffer<Scalar>
  /// From one row to the next: never a whole number of pages, whose lines would all
  /// compete for the same places of a cache.
  let stride: Int

  init(rows: Int, size: Int, lanes: Int, zero: Scalar) {
    let whole = (size + lanes - 1) / lanes * lanes
    stride = whole * MemoryLayout<Scalar>.stride % 4096 == 0 ? whole + lanes : whole
    buffer = Buffer(repeating: zero, count: rows * stride)
  }

  var start: UnsafeMutablePointer<Scalar> { buffer.start }

  func pointers(count: Int) -> Buffer<UnsafeRawPointer?> {
    let pointers = Buffer<UnsafeRawPointer?>(repeating: nil, count: count)
    for number in 0..<count { pointers.start[number] = UnsafeRawPointer(row(number)) }
    return pointers
  }

  func row(_ number: Int) -> UnsafeMutablePointer<Scalar> { start + number * stride }
}
