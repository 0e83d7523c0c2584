import Platform
import TensorCore

/// NumPy's format for one array, in its versions 1.0 to 3.0: a magic number, the version,
/// the length of the header, the header, which is a Python dictionary, and the elements.
///
/// Source: NumPy Enhancement Proposal 1 and the documentation of `numpy.lib.format`.
enum NPY {
  /// How every file of the format starts.
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads the tensor that a file holds.
  ///
  /// - Parameter bytes: a whole `.npy` file.
  /// - Returns: a tensor that uses `bytes` in place, where its elements are little-endian,
  ///   in C order and aligned, and one with elements of its own otherwise.
  /// - Throws: `ArchiveError.Reason` for anything but an array of a type that is read, with
  ///   exactly as many bytes as its header states.
  /// - Complexity: O(1) in place, and O(elements) otherwise.
  static func decode(_ bytes: Data) throws(ArchiveError.Reason) -> Tensor {
    var reader = ByteReader(bytes)
    let header = try header(from: &reader, fileSize: bytes.count)
    let data = try reader.take(reader.remaining, of: "data")
    return tensor(header.elementType.swiftType, data, header)
  }

  /// Reads what stands before the elements, and leaves `reader` at the first of them.
  ///
  /// - Parameter fileSize: the number of bytes of the whole file, of which `reader` may
  ///   have no more than the first.
  /// - Throws: `ArchiveError.Reason` where it is no `.npy` file of a type that is read, or
  ///   its size is not the one that its header promises.
  static func header(
    from reader: inout ByteReader, fileSize: Int
  ) throws(ArchiveError.Reason) -> Header {
    guard reader.bytes.starts(with: magic) else {
      throw .wrongFormat(expected: "an .npy file", found: reader.bytes.printablePrefix)
    }
    try reader.skip(magic.count, of: "magic")
    let header = try Header(from: &reader)
    let expected = header.shape.elementCount.multipliedReportingOverflow(
      by: header.elementType.byteCount)
    let found = fileSize - reader.offset
    guard !expected.overflow, expected.partialValue == found else {
      let count = expected.overflow ? "more than 2^63" : "\(expected.partialValue)"
      throw .corrupt(
        "the data of \(header.elementType) \(header.shape)", expected: "\(count) bytes",
        found: "\(found)")
    }
    return header
  }

  /// - Parameter data: the bytes of the elements.
  private static func tensor<Element: TensorElement>(
    _ type: Element.Type, _ data: Data, _ header: Header
  ) -> Tensor {
    // Every machine that Swift runs on is little-endian.
    var data = data
    if header.isBigEndian {
      data.withUnsafeMutableBytes { $0.reverseBytes(ofNumbersOf: MemoryLayout<Element>.size) }
    }
    let elements = Elements<Element>(in: data)
    guard header.isFortranOrdered, header.shape.elementCount > 0 else {
      return Tensor(elements, shape: header.shape)
    }
    // What stands in Fortran order is the transposed array in C order.
    let stored = Tensor(elements, shape: Shape(header.shape.axes.reversed()))
    return stored.gathering(fortranOffsets(header.shape), shape: header.shape)
  }

  /// Where each element, in C order, stands in Fortran order, counted in elements.
  private static func fortranOffsets(_ shape: Shape) -> [Int] {
    var offsets = [0]
    var stride = 1
    // Axis after axis from the first, which varies slowest in C order.
    for size in shape.axes {
      let step = stride
      offsets = offsets.flatMap { start in (0..<size).map { start + $0 * step } }
      stride *= size
    }
    return offsets
  }
}
