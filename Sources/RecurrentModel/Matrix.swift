/// A matrix of doubles, for products with vectors in the oracle and in scans.
///
/// ```swift
/// let weights = Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])
/// var sums = [0.5, 0.5]
/// weights.addProduct(with: [1, 0, 1], to: &sums)  // [4.5, 10.5]
/// ```
package struct Matrix: Sendable {
  package let rows: Int
  package let columns: Int
  /// Column after column, so that a product adds to many rows at a time.
  private let elements: [Double]

  /// - Parameter elements: row-major.
  package init(rows: Int, columns: Int, elements: [Double]) {
    self.rows = rows
    self.columns = columns
    self.elements = [Double](unsafeUninitializedCapacity: rows * columns) { buffer, count in
      for column in 0..<columns {
        for row in 0..<rows {
          buffer.initializeElement(at: column * rows + row, to: elements[row * columns + column])
        }
      }
      count = rows * columns
    }
  }

  /// Adds W x to `sums`, to each row term by term in the order of the columns.
  ///
  /// - Parameters:
  ///   - x: as many numbers as there are columns.
  ///   - sums: as many as there are rows.
  /// - Complexity: O(rows · columns).
  package func addProduct(with x: [Double], to sums: inout [Double]) {
    precondition(x.count == columns && sums.count == rows)
    elements.withUnsafeBufferPointer { weights in
      sums.withUnsafeMutableBufferPointer { sums in
        // Of four columns at a time, so that each sum is loaded and stored once for four terms.
        let whole = columns - columns % 4
        for column in stride(from: 0, to: whole, by: 4) {
          let (a, b, c, d) = (x[column], x[column + 1], x[column + 2], x[column + 3])
          let start = column * rows
          for row in 0..<rows {
            let place = start + row
            var sum = sums[row] + weights[place] * a
            sum += weights[place + rows] * b
            sum += weights[place + 2 * rows] * c
            sums[row] = sum + weights[place + 3 * rows] * d
          }
        }
        for column in whole..<columns {
          let factor = x[column]
          for row in 0..<rows { sums[row] += weights[column * rows + row] * factor }
        }
      }
    }
  }
}
