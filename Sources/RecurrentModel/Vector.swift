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

/// A matrix of doubles, for the oracle's products of a matrix with a vector.
struct Matrix: Sendable {
  let rows: Int
  let columns: Int
  /// Column after column, so that a product adds up one column after the other, which processors
  /// do for many rows at a time.
  private let elements: [Double]

  /// - Parameter elements: row-major.
  init(rows: Int, columns: Int, elements: [Double]) {
    self.rows = rows
    self.columns = columns
    self.elements = (0..<rows * columns).map { elements[$0 % rows * columns + $0 / rows] }
  }

  static func * (matrix: Matrix, vector: Vector) -> Vector {
    precondition(vector.elements.count == matrix.columns)
    var sums = [Double](repeating: 0, count: matrix.rows)
    matrix.elements.withUnsafeBufferPointer { weights in
      sums.withUnsafeMutableBufferPointer { sums in
        for (column, factor) in vector.elements.enumerated() {
          for row in sums.indices { sums[row] += weights[column * sums.count + row] * factor }
        }
      }
    }
    return Vector(sums)
  }
}
