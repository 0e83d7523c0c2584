import Testing

@testable import TensorCore

@Suite struct ShapeTests {
  @Test func elementCountIsTheProductOfTheAxes() {
    #expect(Shape([2, 3, 4]).elementCount == 24)
    #expect(Shape([]).elementCount == 1)
    #expect(Shape([3, 0, 5]).elementCount == 0)
  }

  @Test(arguments: [
    [-1], [2, -3], [Int.max, 2], [1 << 32, 1 << 32], [Int.max, Int.max, 0], [0, Int.max, 2],
  ])
  func refusesNegativeAndOverflowingAxes(axes: [Int]) {
    #expect(Shape(checking: axes) == nil)
  }

  @Test func keepsTheLargestThatFits() {
    #expect(Shape(checking: [Int.max])?.elementCount == Int.max)
    #expect(Shape(checking: [0, Int.max])?.elementCount == 0)
  }

  @Test func indexIsTheInverseOfTheRowMajorOffset() {
    let shape: Shape = [2, 3, 4]
    for offset in 0..<shape.elementCount {
      let index = shape.index(at: offset)
      #expect((index[0] * 3 + index[1]) * 4 + index[2] == offset)
      #expect(zip(index, shape.axes).allSatisfy { $0 < $1 })
    }
  }

  @Test func printsAsNumPyDoes() {
    #expect("\(Shape([1, 4, 5]))" == "(1, 4, 5)")
    #expect("\(Shape([5]))" == "(5,)")
    #expect("\(Shape([]))" == "()")
  }
}
