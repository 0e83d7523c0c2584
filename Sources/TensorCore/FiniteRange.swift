/// The least and the largest of the finite numbers in tensors, and the count of the others.
///
/// ```swift
/// var found = FiniteRange()
/// [1, .nan, -2 as Float].withUnsafeBytes { found.add($0, of: .float32) }
/// found.range      // -2...1
/// found.nonFinite  // 1
/// ```
package struct FiniteRange: Sendable {
  private var least = Double.infinity
  private var largest = -Double.infinity
  /// How many numbers are NaN or infinite.
  package private(set) var nonFinite = 0

  package init() {}

  /// Nil where there is no finite number.
  package var range: ClosedRange<Double>? { least <= largest ? least...largest : nil }

  /// Looks at the floats that stand side by side in memory; at none of a type of integers.
  ///
  /// - Parameter bytes: a whole number of elements, aligned as they need it.
  /// - Complexity: O(elements).
  package mutating func add(_ bytes: UnsafeRawBufferPointer, of type: ElementType) {
    switch type {
    case .float64: add(bytes.bindMemory(to: Double.self)) { $0 }
    case .float32: add(bytes.bindMemory(to: Float.self)) { $0 }
    case .float16: add(bytes.bindMemory(to: Half.self)) { $0.float }
    case .bfloat16: add(bytes.bindMemory(to: BFloat16.self)) { $0.float }
    case .int32, .int64: break
    }
  }

  @inline(__always)
  private mutating func add<Element, Number: FloatingElement>(
    _ elements: UnsafeBufferPointer<Element>, _ value: (Element) -> Number
  ) {
    var (least, largest, others) = (Number.infinity, -Number.infinity, 0)
    // Without branches, so that several numbers are looked at in one instruction.
    for element in elements {
      let number = value(element)
      let isFinite = number - number == 0
      others += isFinite ? 0 : 1
      let (low, high) = (isFinite ? number : least, isFinite ? number : largest)
      least = low < least ? low : least
      largest = high > largest ? high : largest
    }
    nonFinite += others
    self.least = min(self.least, Double(least))
    self.largest = max(self.largest, Double(largest))
  }

  package mutating func merge(_ other: FiniteRange) {
    least = min(least, other.least)
    largest = max(largest, other.largest)
    nonFinite += other.nonFinite
  }
}
