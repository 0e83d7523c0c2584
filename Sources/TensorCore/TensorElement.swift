/// A Swift type that tensors are made of.
package protocol TensorElement: Sendable, BitwiseCopyable {
  static var elementType: ElementType { get }

  static func storage(_ elements: Elements<Self>) -> Tensor.Storage
}

/// A Swift type that layers compute in.
package protocol FloatingElement: TensorElement, BinaryFloatingPoint {
  /// The elements of a tensor that is of this very type; nil for any other.
  static func elements(in storage: Tensor.Storage) -> Elements<Self>?

  init(_ value: Half)
  init(_ value: BFloat16)
}

extension Float: FloatingElement {
  package static var elementType: ElementType { .float32 }

  package static func storage(_ elements: Elements<Float>) -> Tensor.Storage { .float32(elements) }

  package static func elements(in storage: Tensor.Storage) -> Elements<Float>? {
    if case .float32(let elements) = storage { elements } else { nil }
  }

  package init(_ value: Half) { self = value.float }
  package init(_ value: BFloat16) { self = value.float }
}

extension Double: FloatingElement {
  package static var elementType: ElementType { .float64 }

  package static func storage(_ elements: Elements<Double>) -> Tensor.Storage {
    .float64(elements)
  }

  package static func elements(in storage: Tensor.Storage) -> Elements<Double>? {
    if case .float64(let elements) = storage { elements } else { nil }
  }

  package init(_ value: Half) { self = Double(value.float) }
  package init(_ value: BFloat16) { self = Double(value.float) }
}

extension Int32: TensorElement {
  package static var elementType: ElementType { .int32 }

  package static func storage(_ elements: Elements<Int32>) -> Tensor.Storage { .int32(elements) }
}

extension Int64: TensorElement {
  package static var elementType: ElementType { .int64 }

  package static func storage(_ elements: Elements<Int64>) -> Tensor.Storage { .int64(elements) }
}
