/// A dense array of numbers in row-major order (NumPy's C order).
///
/// ```swift
/// let tensor = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
/// tensor.elementType         // float32
/// tensor.double(at: 4)       // 5.0, the element (1, 1)
/// tensor.elements() as [Double]
/// ```
///
/// It never changes, and copies of it share the elements. It is no view of another tensor: there
/// are no strides, and what selects or permutes elements copies them.
package struct Tensor: Sendable {
  /// The elements, by their type.
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

  /// The number of elements.
  package var count: Int { shape.elementCount }

  /// The element at an offset in row-major order. It is exact, except for an `int64` beyond
  /// 2⁵³, which is rounded.
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

  /// The elements of a tensor of integers; nil for a tensor of floats.
  ///
  /// - Complexity: O(elements).
  package var integers: [Int64]? {
    switch storage {
    case .int32(let elements): elements.array.map(Int64.init)
    case .int64(let elements): elements.array
    default: nil
    }
  }

  /// The first element of a tensor of integers that meets a condition; nil where none does, and for
  /// a tensor of floats.
  ///
  /// - Complexity: O(elements) in time, O(1) in memory.
  package func firstInteger(where condition: (Int64) -> Bool) -> Int64? {
    switch storage {
    case .int32(let elements):
      elements.withUnsafeBufferPointer { $0.first { condition(Int64($0)) } }.map(Int64.init)
    case .int64(let elements): elements.withUnsafeBufferPointer { $0.first(where: condition) }
    default: nil
    }
  }

  /// The tensor whose element `k` is this tensor's element `offsets[k]`, as flips and
  /// permutations need it.
  ///
  /// - Parameter shape: of as many elements as there are offsets.
  /// - Complexity: O(offsets).
  package func gathering(_ offsets: [Int], shape: Shape) -> Tensor {
    gathering(blocksOf: 1, at: offsets, shape: shape)
  }

  /// The tensor of the runs of `size` elements that begin at each of `starts`, one behind the
  /// other.
  ///
  /// - Parameter shape: of `starts.count · size` elements.
  /// - Complexity: O(starts · size).
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

  /// The same elements under another shape with as many elements.
  ///
  /// - Complexity: O(1).
  package func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.elementCount == count, "\(self.shape) does not fill the shape \(shape)")
    return Tensor(storage, shape)
  }
}

extension Tensor {
  /// Hands the bytes of the elements to `body`, in row-major order and this machine's byte
  /// order. The pointer must not be used after `body` returns.
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
