/// The least and the largest of the finite numbers in tensors, and the count of the others.
///
/// ```swift
/// var found = FiniteRange()
/// found.add(Tensor([1, .nan, -2] as [Float], shape: [3]))
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

  /// - Complexity: O(elements).
  package mutating func add(_ tensor: Tensor) {
    if case .float64(let elements) = tensor.storage {
      elements.withUnsafeBufferPointer { add($0) }
    } else if case .float32(let elements) = tensor.storage {
      elements.withUnsafeBufferPointer { add($0) }
    } else {
      tensor.elements(as: Float.self).withUnsafeBufferPointer { add($0) }
    }
  }

  @inline(__always)
  private mutating func add<Element: FloatingElement>(_ numbers: UnsafeBufferPointer<Element>) {
    var (least, largest, others) = (Element.infinity, -Element.infinity, 0)
    // Without branches, so that several numbers are looked at in one instruction.
    for number in numbers {
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
