import TensorCore
import Testing

/// Slices of a tensor whose elements say where they stood: 100·i + 10·j + k.
@Suite struct SelectingTests {
  private let tensor: Tensor = {
    let shape: Shape = [2, 3, 4]
    let elements = (0..<24).map { offset -> Float in
      let index = shape.index(at: offset)
      return Float(100 * index[0] + 10 * index[1] + index[2])
    }
    return Tensor(elements, shape: shape)
  }()

  private func numbers(_ tensor: Tensor) -> [Float] { tensor.elements() }

  @Test func placesOfEachAxis() {
    let first = tensor.selecting([1], along: 0)
    #expect(first.shape == [1, 3, 4])
    #expect(numbers(first) == [100, 101, 102, 103, 110, 111, 112, 113, 120, 121, 122, 123])
    let second = tensor.selecting([2, 0], along: 1)
    #expect(second.shape == [2, 2, 4])
    #expect(
      numbers(second) == [
        20, 21, 22, 23, 0, 1, 2, 3, 120, 121, 122, 123, 100, 101, 102, 103,
      ])
    let last = tensor.selecting([3, 3], along: 2)
    #expect(last.shape == [2, 3, 2])
    #expect(numbers(last) == [3, 3, 13, 13, 23, 23, 103, 103, 113, 113, 123, 123])
    #expect(tensor.selecting([], along: 1).shape == [2, 0, 4])
  }

  @Test func blocksAndHalves() {
    let blocks = tensor.takingBlocks([1, 0])
    #expect(blocks.shape == tensor.shape && numbers(blocks).prefix(2) == [100, 101])
    #expect(numbers(tensor.halvesExchanged).prefix(8) == [2, 3, 0, 1, 12, 13, 10, 11])
  }
}
