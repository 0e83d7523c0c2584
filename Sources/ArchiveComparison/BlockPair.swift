import TensorCore

/// The same elements of two tensors, in a type that holds both without loss. Beside
/// floating-point numbers an integer that no double holds is NaN.
enum BlockPair {
  case floats(actual: UnsafeBufferPointer<Float>, expected: UnsafeBufferPointer<Float>)
  case doubles(actual: UnsafeBufferPointer<Double>, expected: UnsafeBufferPointer<Double>)
  case integers(actual: UnsafeBufferPointer<Int64>, expected: UnsafeBufferPointer<Int64>)

  /// The kind that two element types are compared in.
  enum Kind: Sendable {
    case floats
    case doubles
    case integers

    init(_ a: ElementType, _ b: ElementType) {
      let types = [a, b]
      self =
        types.allSatisfy { !$0.isFloatingPoint }
        ? .integers
        : types.allSatisfy { $0.isFloatingPoint && $0 != .float64 } ? .floats : .doubles
    }
  }
}

/// Room for one block of a tensor, as it is read and as it is compared.
final class BlockBuffer {
  private let type: ElementType
  private let kind: BlockPair.Kind
  private let raw: UnsafeMutableRawBufferPointer
  private let converted: UnsafeMutableRawBufferPointer

  /// - Parameter capacity: in elements.
  init(_ type: ElementType, as kind: BlockPair.Kind, capacity: Int) {
    self.type = type
    self.kind = kind
    raw = .allocate(byteCount: max(1, capacity * type.byteCount), alignment: 64)
    let isNeeded =
      switch (kind, type) {
      case (.floats, .float32), (.doubles, .float64), (.integers, .int64): false
      default: true
      }
    converted = .allocate(
      byteCount: isNeeded ? max(1, capacity * MemoryLayout<Double>.size) : 0, alignment: 64)
  }

  deinit {
    raw.deallocate()
    converted.deallocate()
  }

  /// To be filled with the next `count` elements.
  func bytes(of count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: raw[..<(count * type.byteCount)])
  }

  /// The first `count` elements. O(count) where they are of another type.
  func floats(_ count: Int) -> UnsafeBufferPointer<Float> {
    switch type {
    case .float16: convert(Half.self, count) { $0.float }
    case .bfloat16: convert(BFloat16.self, count) { $0.float }
    default: own(Float.self, count)
    }
  }

  func doubles(_ count: Int) -> UnsafeBufferPointer<Double> {
    switch type {
    case .float16: convert(Half.self, count) { Double($0.float) }
    case .bfloat16: convert(BFloat16.self, count) { Double($0.float) }
    case .float32: convert(Float.self, count) { Double($0) }
    case .float64: own(Double.self, count)
    case .int32: convert(Int32.self, count) { Double($0) }
    case .int64: convert(Int64.self, count) { Double(exactly: $0) ?? .nan }
    }
  }

  func integers(_ count: Int) -> UnsafeBufferPointer<Int64> {
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
