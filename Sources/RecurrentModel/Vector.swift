import RealModule

/// A vector of doubles, with no operations but those that the oracle's formulas use. `+`, `-` and
/// `*` go element by element.
struct Vector: Sendable, Equatable {
  var elements: [Double]

  init(_ elements: [Double]) { self.elements = elements }

  static func zeros(_ count: Int) -> Vector { Vector([Double](repeating: 0, count: count)) }

  static func + (a: Vector, b: Vector) -> Vector { Vector(zip(a.elements, b.elements).map(+)) }

  static func * (a: Vector, b: Vector) -> Vector { Vector(zip(a.elements, b.elements).map(*)) }

  static func - (a: Double, b: Vector) -> Vector { Vector(b.elements.map { a - $0 }) }

  /// The vector cut into pieces of equal size, which is how the gates of a step are told apart.
  func pieces(_ count: Int) -> [Vector] {
    let size = elements.count / count
    return (0..<count).map { Vector(Array(elements[$0 * size..<($0 + 1) * size])) }
  }
}

/// 1 / (1 + e⁻ˣ)
func sigmoid(_ x: Vector) -> Vector { Vector(x.elements.map { 1 / (1 + .exp(-$0)) }) }

func tanh(_ x: Vector) -> Vector { Vector(x.elements.map { .tanh($0) }) }

/// max(x, 0), and NaN where x is NaN.
func relu(_ x: Vector) -> Vector { Vector(x.elements.map { $0 < 0 ? 0 : $0 }) }

extension Matrix {
  static func * (matrix: Matrix, vector: Vector) -> Vector {
    var sums = [Double](repeating: 0, count: matrix.rows)
    matrix.addProduct(with: vector.elements, to: &sums)
    return Vector(sums)
  }
}
