extension Tensor {
  /// The elements as an array in row-major order, rounded to the nearest number, ties to even,
  /// where the tensor's type is wider.
  ///
  /// ```swift
  /// let numbers: [Double] = Tensor([1, 2] as [Float], shape: [2]).elements()
  /// ```
  ///
  /// - Complexity: O(elements), and O(1) where the tensor is an array of this type already.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func elements<Element: FloatingElement>(
    as type: Element.Type = Element.self
  ) -> [Element] {
    if let own = Element.elements(in: storage) { return own.array }
    return switch storage {
    case .float16(let elements): elements.array.map { Element($0) }
    case .bfloat16(let elements): elements.array.map { Element($0) }
    case .float32(let elements): elements.array.map { Element($0) }
    case .float64(let elements): elements.array.map { Element($0) }
    case .int32(let elements): elements.array.map { Element($0) }
    case .int64(let elements): elements.array.map { Element($0) }
    }
  }

  /// Hands the elements to `body`, as `elements(as:)` gives them. They are not copied where the
  /// tensor has this type. The pointer must not be used after `body` returns.
  package func withElements<Element: FloatingElement, Result>(
    as type: Element.Type, _ body: (UnsafeBufferPointer<Element>) throws -> Result
  ) rethrows -> Result {
    if let own = Element.elements(in: storage) { return try own.withUnsafeBufferPointer(body) }
    return try elements(as: type).withUnsafeBufferPointer(body)
  }

  /// The same numbers in another floating-point type, rounded to the nearest number, ties to
  /// even, where that type is narrower. With an integer type, the tensor itself.
  ///
  /// - Complexity: O(elements), and O(1) where the tensor has this type already.
  package func rounded(to type: ElementType) -> Tensor {
    switch type {
    case elementType, .int32, .int64: self
    case .float16: halves(Half.self)
    case .bfloat16: halves(BFloat16.self)
    case .float32: Tensor(elements(as: Float.self), shape: shape)
    case .float64: Tensor(elements(as: Double.self), shape: shape)
    }
  }

  private func halves<Element: HalfPrecision>(_ type: Element.Type) -> Tensor {
    // A double holds the numbers of every other type exactly, except for large integers.
    Tensor(elements(as: Double.self).map { Element($0) }, shape: shape)
  }
}
