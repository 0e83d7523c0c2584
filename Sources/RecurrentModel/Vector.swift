import RealModule

/// A vector of doubles, with just the operations that the layers' formulas use.
struct Vector: Sendable, Equatable {
  var elements: [Double]

  init(_ elements: [Double]) { self.elements = elements }

  static func zeros(_ count: Int) -> Vector { Vector([Double](repeating: 0, count: count)) }

  static func + (a: Vector, b: Vector) -> Vector { Vector(zip(a.elements, b.elements).map(+)) }

  static func * (a: Vector, b: Vector) -> Vector { Vector(zip(a.elements, b.elements).map(*)) }

  static func - (a: Double, b: Vector) -> Vector { Vector(b.elements.map { a - $0 }) }

  /// The vector cut into pieces of equal size.
  func pieces(_ count: Int) -> [Vector] {
    let size = elements.count / count
    return (0..<count).map { Vector(Array(elements[$0 * size..<($0 + 1) * size])) }
  }
}

/// 1 / (1 + e⁻ˣ)
func sigmoid(_ x: Vector) -> Vector { Vector(x.elements.map { 1 / (1 + .exp(-$0)) }) }

func tanh(_ x: Vector) -> Vector { Vector(x.elements.map { .tanh($0) }) }

/// max(x, 0), and NaN where x is.
func relu(_ x: Vector) -> Vector { Vector(x.elements.map { $0 < 0 ? 0 : $0 }) }

/// A row-major matrix of doubles.
struct Matrix: Sendable {
  let rows: Int
  let columns: Int
  let elements: [Double]

  static func * (matrix: Matrix, vector: Vector) -> Vector {
    precondition(vector.elements.count == matrix.columns)
    return matrix.elements.withUnsafeBufferPointer { weights in
      vector.elements.withUnsafeBufferPointer { x in
        Vector(
          (0..<matrix.rows).map { row in
            var sum = 0.0
            for column in 0..<matrix.columns {
              sum += weights[row * matrix.columns + column] * x[column]
            }
            return sum
          })
      }
    }
  }
}
