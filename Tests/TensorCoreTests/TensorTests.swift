import Testing

@testable import TensorCore

@Suite struct TensorTests {
  @Test func knowsItsElementType() {
    #expect(Tensor([1.5] as [Float], shape: [1]).elementType == .float32)
    #expect(Tensor([1.5] as [Double], shape: [1]).elementType == .float64)
    #expect(Tensor([1] as [Int64], shape: [1]).elementType == .int64)
  }

  @Test func gathersElementsByOffset() {
    let tensor = Tensor([0, 1, 2, 3, 4, 5] as [Float], shape: [2, 3])
    let transposed = tensor.gathering([0, 3, 1, 4, 2, 5], shape: [3, 2])
    #expect(transposed.elements(as: Float.self) == [0, 3, 1, 4, 2, 5])
    #expect(transposed.shape == [3, 2])
    #expect(transposed.elementType == .float32)
  }

  @Test func roundsToNearestEven() {
    // 1 + 2⁻²⁴ lies half way between 1 and the next Float; 1 is even.
    let tensor = Tensor([1 + 0x1p-24, 1 + 0x1.8p-23], shape: [2])
    #expect(tensor.rounded(to: .float32).elements(as: Float.self) == [1, 1 + 0x1p-22])
    #expect(tensor.rounded(to: .float64).elements(as: Double.self) == [1 + 0x1p-24, 1 + 0x1.8p-23])
  }

  @Test func onlyIntegersAreIntegers() {
    #expect(Tensor([3, 1] as [Int64], shape: [2]).integers == [3, 1])
    #expect(Tensor([3, 1] as [Float], shape: [2]).integers == nil)
  }

  @Test func givesItsBytesInMachineOrder() {
    let tensor = Tensor([1] as [Float], shape: [1])
    tensor.withUnsafeBytes { #expect(Array($0) == [0, 0, 0x80, 0x3F]) }
  }
}
