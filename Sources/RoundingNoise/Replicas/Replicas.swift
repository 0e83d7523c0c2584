/// One number in each of sixteen replicas.
typealias Replicas = SIMD16<Double>

extension Replicas {
  /// The root mean square, of numbers too small to be squared too.
  var rootMeanSquare: Double {
    let squares = (self * self).sum()
    if squares > 0x1p-900, squares < .infinity {
      return (squares / Double(Self.scalarCount)).squareRoot()
    }
    let largest = Swift.max(max(), -min())
    guard largest > 0, largest.isFinite else { return largest.magnitude }
    let scaled = self / largest
    return ((scaled * scaled).sum() / Double(Self.scalarCount)).squareRoot() * largest
  }

  /// Each of the sixteen numbers as `function` has it.
  @inline(__always)
  func mapping(_ function: (Double) -> Double) -> Replicas {
    var mapped = self
    for replica in mapped.indices { mapped[replica] = function(mapped[replica]) }
    return mapped
  }
}
