import TensorCore

/// A dense array of numbers in row-major order, as a fixture holds it and as an
/// implementation under test returns it.
public struct FixtureTensor: Sendable {
  let tensor: Tensor

  init(_ tensor: Tensor) { self.tensor = tensor }

  /// - Parameters:
  ///   - elements: row-major, as many as `shape` counts.
  ///   - shape: the sizes of the axes, outermost first.
  /// - Throws: `ShapeMismatch` where they are not as many, or an axis is negative. O(1).
  public init(_ elements: [Float], shape: [Int]) throws(ShapeMismatch) {
    self.init(Tensor(elements, shape: try Self.shape(shape, of: elements.count)))
  }

  /// - Parameters:
  ///   - elements: row-major, as many as `shape` counts.
  ///   - shape: the sizes of the axes, outermost first.
  /// - Throws: `ShapeMismatch` where they are not as many, or an axis is negative. O(1).
  public init(_ elements: [Double], shape: [Int]) throws(ShapeMismatch) {
    self.init(Tensor(elements, shape: try Self.shape(shape, of: elements.count)))
  }

  private static func shape(_ axes: [Int], of count: Int) throws(ShapeMismatch) -> Shape {
    guard let shape = Shape(checking: axes) else {
      throw ShapeMismatch(
        description: "expected a shape without negative axes, found \(Shape.text(axes))")
    }
    guard shape.elementCount == count else {
      throw ShapeMismatch(
        description: "a tensor \(shape): expected \(shape.elementCount) elements, found \(count)")
    }
    return shape
  }

  /// Elements that do not fill a shape.
  public struct ShapeMismatch: Error, CustomStringConvertible {
    /// The shape, and how many elements were expected and found.
    public let description: String
  }

  /// The sizes of the axes, outermost first.
  public var shape: [Int] { tensor.shape.axes }

  /// The elements, each rounded to a float. O(elements).
  public var floats: [Float] {
    tensor.integers?.map { Float($0) } ?? tensor.elements(as: Float.self)
  }

  /// The elements; exact, but for an integer beyond 2⁵³. O(elements).
  public var doubles: [Double] {
    tensor.integers?.map { Double($0) } ?? tensor.elements(as: Double.self)
  }

  /// The elements of a tensor of integers, `lengths` and token ids; nil of any other.
  public var integers: [Int]? { tensor.integers?.map { Int($0) } }

  /// The type that the elements have in the fixture.
  public var elementType: FixtureElementType { FixtureElementType(tensor.elementType) }
}
