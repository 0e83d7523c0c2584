/// A Swift type that tensors are made of.
package protocol TensorElement: Sendable {
  static var elementType: ElementType { get }

  static func storage(_ elements: [Self]) -> Tensor.Storage
}

/// A Swift type that layers compute in.
package protocol FloatingElement: TensorElement, BinaryFloatingPoint {
  /// The elements of `tensor`, row-major, rounded to nearest-even where this
  /// type is narrower. O(elements).
  static func elements(of tensor: Tensor) -> [Self]
}

extension Float: FloatingElement {
  package static var elementType: ElementType { .float32 }

  package static func storage(_ elements: [Float]) -> Tensor.Storage { .float32(elements) }

  package static func elements(of tensor: Tensor) -> [Float] {
    switch tensor.storage {
    case .float32(let elements): elements
    case .float64(let elements): elements.map(Float.init)
    case .int64(let elements): elements.map(Float.init)
    }
  }
}

extension Double: FloatingElement {
  package static var elementType: ElementType { .float64 }

  package static func storage(_ elements: [Double]) -> Tensor.Storage { .float64(elements) }

  package static func elements(of tensor: Tensor) -> [Double] {
    switch tensor.storage {
    case .float32(let elements): elements.map(Double.init)
    case .float64(let elements): elements
    case .int64(let elements): elements.map(Double.init)
    }
  }
}

extension Int64: TensorElement {
  package static var elementType: ElementType { .int64 }

  package static func storage(_ elements: [Int64]) -> Tensor.Storage { .int64(elements) }
}
