import TensorCore

/// The same elements of two tensors, in a number type that holds those of both without loss.
///
/// One exception: where integers are compared with floating-point numbers, an integer that no
/// double holds is NaN.
enum BlockPair {
  case floats(actual: UnsafeBufferPointer<Float>, expected: UnsafeBufferPointer<Float>)
  case doubles(actual: UnsafeBufferPointer<Double>, expected: UnsafeBufferPointer<Double>)
  case integers(actual: UnsafeBufferPointer<Int64>, expected: UnsafeBufferPointer<Int64>)

  /// The first `count` elements of both buffers, which must not be filled again while the pair
  /// is in use. O(count), without a copy of elements that have the type already.
  init(actual: BlockBuffer, expected: BlockBuffer, _ count: Int) {
    let types = [actual.type, expected.type]
    if !types.contains(where: \.isFloatingPoint) {
      self = .integers(actual: actual.integers(count), expected: expected.integers(count))
    } else if types.allSatisfy({ $0.isFloatingPoint && $0 != .float64 }) {
      self = .floats(actual: actual.floats(count), expected: expected.floats(count))
    } else {
      self = .doubles(actual: actual.doubles(count), expected: expected.doubles(count))
    }
  }
}

/// Memory for one block of a tensor: as it is read, and converted to the type in which it is
/// compared. The system gives no memory for a conversion that is never made.
package final class BlockBuffer {
  fileprivate let type: ElementType
  private let raw: UnsafeMutableRawBufferPointer
  private let converted: UnsafeMutableRawBufferPointer

  /// - Parameter capacity: the largest number of elements.
  init(_ type: ElementType, capacity: Int) {
    self.type = type
    raw = .allocate(byteCount: capacity * type.byteCount, alignment: 64)
    converted = .allocate(byteCount: capacity * MemoryLayout<Double>.size, alignment: 64)
  }

  deinit {
    raw.deallocate()
    converted.deallocate()
  }

  /// The memory to write the next `count` elements to, as a file holds them.
  func bytes(of count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: raw[..<(count * type.byteCount)])
  }

  fileprivate func floats(_ count: Int) -> UnsafeBufferPointer<Float> {
    switch type {
    case .float16: convert(Half.self, count) { $0.float }
    case .bfloat16: convert(BFloat16.self, count) { $0.float }
    default: own(Float.self, count)
    }
  }

  /// The first `count` elements; an integer that no double holds is NaN. They are overwritten when
  /// the buffer is filled again.
  package func doubles(_ count: Int) -> UnsafeBufferPointer<Double> {
    switch type {
    case .float16: convert(Half.self, count) { Double($0.float) }
    case .bfloat16: convert(BFloat16.self, count) { Double($0.float) }
    case .float32: convert(Float.self, count) { Double($0) }
    case .float64: own(Double.self, count)
    case .int32: convert(Int32.self, count) { Double($0) }
    case .int64: convert(Int64.self, count) { Double(exactly: $0) ?? .nan }
    }
  }

  fileprivate func integers(_ count: Int) -> UnsafeBufferPointer<Int64> {
    type == .int32 ? convert(Int32.self, count) { Int64($0) } : own(Int64.self, count)
  }

  private func own<Element>(_: Element.Type, _ count: Int) -> UnsafeBufferPointer<Element> {
    UnsafeBufferPointer(
      rebasing: UnsafeBufferPointer(raw.assumingMemoryBound(to: Element.self))[..<count])
  }

  @inline(__always)
  private func convert<From, To>(
    _ type: From.Type, _ count: Int, _ number: (From) -> To
  ) -> UnsafeBufferPointer<To> {
    let from = own(type, count)
    let to = converted.assumingMemoryBound(to: To.self)
    for position in 0..<count { to[position] = number(from[position]) }
    return UnsafeBufferPointer(rebasing: UnsafeBufferPointer(to)[..<count])
  }
}
