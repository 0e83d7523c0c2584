package import TensorCore

/// What a tensor is, without its elements.
package struct TensorHeader: Sendable, Equatable {
  package let elementType: ElementType
  package let shape: Shape

  package init(_ elementType: ElementType, _ shape: Shape) {
    self.elementType = elementType
    self.shape = shape
  }

  init(of tensor: Tensor) { self.init(tensor.elementType, tensor.shape) }

  package var byteCount: Int { shape.elementCount * elementType.byteCount }
}

/// The elements of one tensor of a file, any range of them at a time, from any
/// number of threads.
package protocol TensorSource: Sendable {
  var header: TensorHeader { get }

  /// Ranges that start and end at multiples of it, in elements, read nothing twice:
  /// 1 but where a file is packed in chunks.
  var grain: Int { get }

  /// Reads the elements of a range in row-major order.
  ///
  /// - Parameter buffer: as large as they are; filled in this machine's byte order.
  func read(
    _ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ArchiveError)

  /// To be called when every element was read once, in ranges that do not overlap.
  ///
  /// - Throws: `ArchiveError` where they are not what the file's checksum is of.
  func verify() throws(ArchiveError)
}

extension TensorSource {
  package var grain: Int { 1 }

  package func verify() throws(ArchiveError) {}

  /// The elements of a range, as a tensor of one axis.
  package func block(_ range: Range<Int>) throws(ArchiveError) -> Tensor {
    switch header.elementType {
    case .float16: try block(Half.self, range)
    case .bfloat16: try block(BFloat16.self, range)
    case .float32: try block(Float.self, range)
    case .float64: try block(Double.self, range)
    case .int32: try block(Int32.self, range)
    case .int64: try block(Int64.self, range)
    }
  }

  private func block<Element: TensorElement>(
    _ type: Element.Type, _ range: Range<Int>
  ) throws(ArchiveError) -> Tensor {
    var result = Result<Void, ArchiveError>.success(())
    let elements = [Element](unsafeUninitializedCapacity: range.count) { buffer, initialized in
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: UnsafeMutableRawBufferPointer(buffer)[
          ..<(range.count * MemoryLayout<Element>.stride)])
      result = Result { () throws(ArchiveError) in try read(range, into: bytes) }
      initialized = (try? result.get()) == nil ? 0 : range.count
    }
    try result.get()
    return Tensor(elements, shape: [range.count])
  }
}

/// A tensor in memory: what stands in a file in another order, or packed.
package struct LoadedSource: TensorSource {
  let tensor: Tensor

  package init(tensor: Tensor) { self.tensor = tensor }

  package var header: TensorHeader { TensorHeader(of: tensor) }

  package func read(_ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer) {
    let width = tensor.elementType.byteCount
    tensor.withUnsafeBytes {
      buffer.copyMemory(
        from: UnsafeRawBufferPointer(
          rebasing: $0[range.lowerBound * width..<range.upperBound * width]))
    }
  }
}
