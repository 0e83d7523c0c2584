/// A dense array of numbers in row-major order (NumPy's C order).
package struct Tensor: Sendable {
  package enum Storage: Sendable {
    case float32([Float])
    case float64([Double])
    case int64([Int64])
  }

  package let shape: Shape
  package let storage: Storage

  /// - Parameter elements: row-major, as many as `shape` counts.
  package init(_ elements: [some TensorElement], shape: Shape) {
    precondition(
      elements.count == shape.elementCount,
      "\(elements.count) elements do not fill the shape \(shape)")
    self.shape = shape
    self.storage = Self.storage(elements)
  }

  private static func storage<Element: TensorElement>(_ elements: [Element]) -> Storage {
    Element.storage(elements)
  }

  package var elementType: ElementType {
    switch storage {
    case .float32: .float32
    case .float64: .float64
    case .int64: .int64
    }
  }

  package var count: Int { shape.elementCount }

  /// The elements, rounded where the tensor's type is wider. O(elements), and
  /// no copy where it is of this type.
  package func elements<Element: FloatingElement>(
    as type: Element.Type = Element.self
  ) -> [Element] {
    type.elements(of: self)
  }

  /// The elements of an integer tensor; nil for any other.
  package var integers: [Int64]? {
    if case .int64(let elements) = storage { elements } else { nil }
  }

  /// The element at a row-major offset; exact, but for an `int64` beyond 2⁵³.
  package func double(at offset: Int) -> Double {
    switch storage {
    case .float32(let elements): Double(elements[offset])
    case .float64(let elements): elements[offset]
    case .int64(let elements): Double(elements[offset])
    }
  }

  /// The tensor whose element `k` is this one's element `offsets[k]`: slices,
  /// flips and permutations alike. O(offsets).
  package func gathering(_ offsets: [Int], shape: Shape) -> Tensor {
    switch storage {
    case .float32(let elements): Tensor(offsets.map { elements[$0] }, shape: shape)
    case .float64(let elements): Tensor(offsets.map { elements[$0] }, shape: shape)
    case .int64(let elements): Tensor(offsets.map { elements[$0] }, shape: shape)
    }
  }

  /// The same elements under another shape of as many. O(1).
  package func reshaped(_ shape: Shape) -> Tensor {
    switch storage {
    case .float32(let elements): Tensor(elements, shape: shape)
    case .float64(let elements): Tensor(elements, shape: shape)
    case .int64(let elements): Tensor(elements, shape: shape)
    }
  }
}

extension Tensor {
  /// The bytes of the elements, row-major, in this machine's byte order.
  package func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    switch storage {
    case .float32(let elements): try elements.withUnsafeBytes(body)
    case .float64(let elements): try elements.withUnsafeBytes(body)
    case .int64(let elements): try elements.withUnsafeBytes(body)
    }
  }
}

extension Tensor {
  /// The same numbers in another floating-point type, rounded to nearest-even
  /// where it is narrower. O(elements), and O(1) where it is this type.
  package func rounded(to type: ElementType) -> Tensor {
    switch type {
    case elementType, .int64: self
    case .float32: Tensor(elements(as: Float.self), shape: shape)
    case .float64: Tensor(elements(as: Double.self), shape: shape)
    }
  }
}
