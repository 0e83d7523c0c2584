import TensorArchives
import TensorCore
import TestSupport
import Testing

@testable import ArchiveComparison

@Suite struct RearrangementTests {
  private static func random(_ axes: [Int]) -> Tensor {
    var generator = SplitMix64(seed: 11)
    let shape = Shape(axes)
    return Tensor(
      (0..<shape.elementCount).map { _ in Float.random(in: -1...1, using: &generator) },
      shape: shape)
  }

  /// `tensor.transpose(order)`.
  private static func transposed(_ tensor: Tensor, _ order: [Int]) -> Tensor {
    let shape = Shape(order.map { tensor.shape.axes[$0] })
    let offsets = (0..<shape.elementCount).map { offset in
      var index = [Int](repeating: 0, count: order.count)
      for (axis, place) in zip(order, shape.index(at: offset)) { index[axis] = place }
      return zip(index, tensor.shape.axes).reduce(0) { $0 * $1.1 + $1.0 }
    }
    return tensor.gathering(offsets, shape: shape)
  }

  private static func found(actual: Tensor, expected: Tensor) throws -> Rearrangement? {
    switch try Pair.compare(actual: ["a": actual], expected: ["a": expected])["a"] {
    case .compared(let tensor): tensor.rearrangement
    case .shapesDiffer(_, _, let rearrangement): rearrangement
    default: nil
    }
  }

  @Test(
    arguments: [[3, 4], [5, 5], [2, 3, 4], [4, 4, 4], [2, 2, 3, 3], [1100, 1000]] as [[Int]])
  func everyTranspositionIsFound(axes: [Int]) throws {
    let actual = Self.random(axes)
    let isWhole = actual.count <= 1 << 20
    for order in [[1, 0], [2, 0, 1], [0, 2, 1], [1, 0, 3, 2]] where order.count == axes.count {
      let expected = Self.transposed(actual, order)
      #expect(
        try Self.found(actual: actual, expected: expected)
          == .transposed(axes: order, isWhole: isWhole), "\(order)")
    }
  }

  @Test func anotherShapeOfTheSameElementsIsFound() throws {
    let actual = Self.random([2, 3, 4])
    for shape in [[6, 4], [24], [1, 2, 3, 4], [4, 3, 2]] as [Shape] {
      #expect(
        try Self.found(actual: actual, expected: actual.reshaped(shape))
          == .reshaped(isWhole: true))
    }
  }

  @Test func otherNumbersAreNoTransposition() throws {
    let actual = Self.random([4, 4])
    var elements = Self.transposed(actual, [1, 0]).elements(as: Float.self)
    elements[1] += 1e-3
    #expect(try Self.found(actual: actual, expected: Tensor(elements, shape: [4, 4])) == nil)
    let nan = Tensor([Float](repeating: .nan, count: 6), shape: [2, 3])
    #expect(try Self.found(actual: nan, expected: nan.reshaped([3, 2])) == nil)
  }
}
