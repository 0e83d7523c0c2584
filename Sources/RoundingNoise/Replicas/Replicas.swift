/// One number as it is in each of the sixteen replicas of a group.
typealias Replicas = SIMD16<Double>

extension Replicas {
  /// The root mean square of the sixteen, which is right also where their squares would underflow
  /// or overflow.
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

  /// The sixteen numbers that `function` makes of these.
  @inline(__always)
  func mapping(_ function: (Double) -> Double) -> Replicas {
    var mapped = self
    for replica in mapped.indices { mapped[replica] = function(mapped[replica]) }
    return mapped
  }
}
