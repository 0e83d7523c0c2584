/// A Swift type that a tensor's elements can have.
package protocol TensorElement: Sendable, BitwiseCopyable {
  /// The element type that this Swift type holds.
  static var elementType: ElementType { get }

  /// A tensor's storage of such elements.
  static func storage(_ elements: Elements<Self>) -> Tensor.Storage
}

/// A Swift type that modules are computed in: `Float` or `Double`.
package protocol FloatingElement: TensorElement, BinaryFloatingPoint {
  /// The elements of a tensor that has this type; nil of a tensor of another type.
  static func elements(in storage: Tensor.Storage) -> Elements<Self>?
}

extension FloatingElement {
  /// The same number, exactly.
  package init(_ value: some HalfPrecision) { self.init(value.float) }
}

extension Float: FloatingElement {
  package static var elementType: ElementType { .float32 }

  package static func storage(_ elements: Elements<Float>) -> Tensor.Storage { .float32(elements) }

  package static func elements(in storage: Tensor.Storage) -> Elements<Float>? {
    if case .float32(let elements) = storage { elements } else { nil }
  }
}

extension Double: FloatingElement {
  package static var elementType: ElementType { .float64 }

  package static func storage(_ elements: Elements<Double>) -> Tensor.Storage {
    .float64(elements)
  }

  package static func elements(in storage: Tensor.Storage) -> Elements<Double>? {
    if case .float64(let elements) = storage { elements } else { nil }
  }
}

extension Int32: TensorElement {
  package static var elementType: ElementType { .int32 }

  package static func storage(_ elements: Elements<Int32>) -> Tensor.Storage { .int32(elements) }
}

extension Int64: TensorElement {
  package static var elementType: ElementType { .int64 }

  package static func storage(_ elements: Elements<Int64>) -> Tensor.Storage { .int64(elements) }
}
