/// A dense array of numbers in row-major order (NumPy's C order).
package struct Tensor: Sendable {
  package enum Storage: Sendable {
    case float16(Elements<Half>)
    case bfloat16(Elements<BFloat16>)
    case float32(Elements<Float>)
    case float64(Elements<Double>)
    case int32(Elements<Int32>)
    case int64(Elements<Int64>)
  }

  package let shape: Shape
  package let storage: Storage

  /// - Parameter elements: row-major, as many as `shape` counts.
  package init<Element: TensorElement>(_ elements: [Element], shape: Shape) {
    self.init(Elements(elements), shape: shape)
  }

  /// - Parameter elements: row-major, as many as `shape` counts.
  package init<Element: TensorElement>(_ elements: Elements<Element>, shape: Shape) {
    precondition(
      elements.count == shape.elementCount,
      "\(elements.count) elements do not fill the shape \(shape)")
    self.init(Element.storage(elements), shape)
  }

  private init(_ storage: Storage, _ shape: Shape) {
    self.storage = storage
    self.shape = shape
  }

  package var elementType: ElementType {
    switch storage {
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .float32: .float32
    case .float64: .float64
    case .int32: .int32
    case .int64: .int64
    }
  }

  package var count: Int { shape.elementCount }

  /// The element at a row-major offset; exact, but for an `int64` beyond 2⁵³.
  package func double(at offset: Int) -> Double {
    switch storage {
    case .float16(let elements): Double(elements[offset])
    case .bfloat16(let elements): Double(elements[offset])
    case .float32(let elements): Double(elements[offset])
    case .float64(let elements): elements[offset]
    case .int32(let elements): Double(elements[offset])
    case .int64(let elements): Double(elements[offset])
    }
  }

  /// The elements of an integer tensor; nil for any other. O(elements).
  package var integers: [Int64]? {
    switch storage {
    case .int32(let elements): elements.array.map(Int64.init)
    case .int64(let elements): elements.array
    default: nil
    }
  }

  /// The tensor whose element `k` is this one's element `offsets[k]`: flips and
  /// permutations. O(offsets).
  package func gathering(_ offsets: [Int], shape: Shape) -> Tensor {
    gathering(blocksOf: 1, at: offsets, shape: shape)
  }

  /// The tensor of runs of `size` elements, one from each start: slices of rows.
  /// O(starts · size).
  package func gathering(blocksOf size: Int, at starts: [Int], shape: Shape) -> Tensor {
    func blocks<Element>(_ elements: Elements<Element>) -> Tensor {
      Tensor(elements.gathering(blocksOf: size, at: starts), shape: shape)
    }
    return switch storage {
    case .float16(let elements): blocks(elements)
    case .bfloat16(let elements): blocks(elements)
    case .float32(let elements): blocks(elements)
    case .float64(let elements): blocks(elements)
    case .int32(let elements): blocks(elements)
    case .int64(let elements): blocks(elements)
    }
  }

  /// The same elements under another shape of as many. O(1).
  package func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.elementCount == count, "\(self.shape) does not fill the shape \(shape)")
    return Tensor(storage, shape)
  }
}

extension Tensor {
  /// The bytes of the elements, row-major, in this machine's byte order.
  package func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    func bytes<Element>(_ elements: Elements<Element>) throws -> Result {
      try elements.withUnsafeBufferPointer { try body(UnsafeRawBufferPointer($0)) }
    }
    return switch storage {
    case .float16(let elements): try bytes(elements)
    case .bfloat16(let elements): try bytes(elements)
    case .float32(let elements): try bytes(elements)
    case .float64(let elements): try bytes(elements)
    case .int32(let elements): try bytes(elements)
    case .int64(let elements): try bytes(elements)
    }
  }
}
