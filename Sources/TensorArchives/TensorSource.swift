package import TensorCore

/// The element type and the shape of a tensor, without its elements.
package struct TensorHeader: Sendable, Equatable {
  package let elementType: ElementType
  package let shape: Shape

  package init(_ elementType: ElementType, _ shape: Shape) {
    self.elementType = elementType
    self.shape = shape
  }

  /// The element type and the shape of a tensor in memory.
  init(of tensor: Tensor) { self.init(tensor.elementType, tensor.shape) }

  /// How many bytes all elements take.
  package var byteCount: Int { shape.elementCount * elementType.byteCount }
}

/// The elements of one tensor of a file, of which any range can be read by itself, so
/// that a tensor that is larger than the memory can be compared with another.
///
/// ```swift
/// let source = try archive.source(of: "outputs/output")
/// let start = try source.block(0..<source.grain)  // a tensor of one axis
/// ```
///
/// It may be used by any number of threads at a time.
package protocol TensorSource: Sendable {
  var header: TensorHeader { get }

  /// The number of elements that the file holds in one piece, which is read and unpacked
  /// as a whole: 1, unless the file is packed in chunks. Ranges that start and end at
  /// multiples of it read no piece twice.
  var grain: Int { get }

  /// Reads the elements of a range, counted in row-major order.
  ///
  /// - Parameter buffer: exactly as large as the elements; they are written to it in this
  ///   machine's byte order.
  /// - Throws: `ArchiveError` where the file can't be read, or is damaged.
  /// - Complexity: O(elements in the range, with the rest of the grains at its ends).
  func read(
    _ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ArchiveError)

  /// Compares the checksum of all that was read with the file's, where it has one. This is to be
  /// called when every element has been read once, in ranges that do not overlap.
  ///
  /// - Throws: `ArchiveError` where the checksum is of other bytes.
  func verify() throws(ArchiveError)
}

extension TensorSource {
  package var grain: Int { 1 }

  package func verify() throws(ArchiveError) {}

  /// Reads the elements of a range, counted in row-major order, as a tensor of one axis.
  ///
  /// - Throws: `ArchiveError` where the file can't be read, or is damaged.
  package func block(_ range: Range<Int>) throws(ArchiveError) -> Tensor {
    try block(header.elementType.swiftType, range)
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

/// A tensor in memory as a source. What stands in a file in Fortran order, or packed as
/// one piece, can't be read in parts, and is handed out so.
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
