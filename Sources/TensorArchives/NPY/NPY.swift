package import Platform
package import TensorCore

/// NumPy's format for one array, in its versions 1.0 to 3.0: a magic number, the version,
/// the length of the header, the header, which is a Python dictionary, and the elements.
///
/// Source: NumPy Enhancement Proposal 1 and the documentation of `numpy.lib.format`.
package enum NPY {
  /// How every file of the format starts.
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads the tensor that a file holds.
  ///
  /// - Parameters:
  ///   - bytes: a whole `.npy` file.
  ///   - path, member: where the bytes come from, for errors.
  /// - Returns: a tensor that uses `bytes` in place, where its elements are little-endian,
  ///   in C order and aligned, and one with elements of its own otherwise.
  /// - Throws: `ArchiveError` for anything but an array of a type that is read, with
  ///   exactly as many bytes as its header states.
  /// - Complexity: O(1) in place, and O(elements) otherwise.
  package static func decode(
    _ bytes: Data, path: String, member: String? = nil
  ) throws(ArchiveError) -> Tensor {
    var reader = ByteReader(bytes, path: path, member: member)
    let header = try header(from: &reader, fileSize: bytes.count)
    let data = try reader.take(reader.remaining, of: "data")
    switch header.elementType {
    case .float16: return tensor(Half.self, data, header)
    case .bfloat16: return tensor(BFloat16.self, data, header)
    case .float32: return tensor(Float.self, data, header)
    case .float64: return tensor(Double.self, data, header)
    case .int32: return tensor(Int32.self, data, header)
    case .int64: return tensor(Int64.self, data, header)
    }
  }

  /// Reads what stands before the elements, and leaves `reader` at the first of them.
  ///
  /// - Parameter fileSize: the number of bytes of the whole file, of which `reader` may
  ///   have no more than the first.
  /// - Throws: `ArchiveError` where it is no `.npy` file of a type that is read, or its
  ///   size is not the one that its header promises.
  static func header(
    from reader: inout ByteReader, fileSize: Int
  ) throws(ArchiveError) -> Header {
    guard reader.bytes.starts(with: magic) else {
      throw reader.error(
        .wrongFormat(expected: "an .npy file", found: reader.bytes.printablePrefix))
    }
    try reader.skip(magic.count, of: "magic")
    let header = try Header(from: &reader)
    let expected = header.shape.elementCount.multipliedReportingOverflow(
      by: header.elementType.byteCount)
    let found = fileSize - reader.offset
    guard !expected.overflow, expected.partialValue == found else {
      let count = expected.overflow ? "more than 2^63" : "\(expected.partialValue)"
      throw reader.error(
        .corrupt(
          "the data of \(header.elementType) \(header.shape)",
          expected: "\(count) bytes", found: "\(found)"))
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
    return stored.gathering(
      fortranOffsets(header.shape), shape: header.shape)
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

extension NPY {
  /// What the header of a file says of the elements behind it.
  struct Header {
    let elementType: ElementType
    let isBigEndian: Bool
    let isFortranOrdered: Bool
    let shape: Shape

    /// The most bytes of a header's text that are parsed, which is NumPy's own limit.
    static let longestText = 10_000

    /// The most bytes that stand before the elements.
    static let longest = magic.count + 6 + longestText

    /// What it says, but for how the elements stand.
    var tensor: TensorHeader { TensorHeader(elementType, shape) }

    /// Whether the elements stand in row-major order (C order). Where no more than one axis
    /// is longer than 1, both orders are the same.
    var isRowMajor: Bool { !isFortranOrdered || shape.axes.count { $0 != 1 } <= 1 }

    /// Reads all that stands between the magic number and the elements.
    init(from reader: inout ByteReader) throws(ArchiveError) {
      let major = try reader.integer(UInt8.self, of: "version")
      let minor = try reader.integer(UInt8.self, of: "version")
      guard (1...3).contains(major), minor == 0 else {
        throw reader.error(
          .unsupported("version", expected: "1.0, 2.0 or 3.0", found: "\(major).\(minor)"))
      }
      let length =
        major == 1
        ? try reader.integer(UInt16.self, of: "header length")
        : try reader.integer(UInt32.self, of: "header length")
      guard length <= Self.longestText else {
        throw reader.error(
          .corrupt(
            "header length", expected: "at most \(Self.longestText)", found: "\(length)"))
      }
      let bytes = try reader.take(length, of: "header")
      // Latin-1 before version 3.0, UTF-8 since; all that is read below is ASCII.
      try self.init(text: String(decoding: bytes, as: UTF8.self), in: reader)
    }

    private init(text: String, in reader: ByteReader) throws(ArchiveError) {
      let literal: PythonLiteral
      do {
        literal = try PythonLiteral(parsing: text)
      } catch {
        throw reader.error(
          .corrupt(
            "header, character \(error.offset)", expected: error.expected, found: error.found))
      }
      guard case .dictionary(let fields) = literal else {
        throw reader.error(
          .corrupt("header", expected: "a dictionary", found: "another literal"))
      }
      let keys = fields.keys.sorted()
      guard keys == ["descr", "fortran_order", "shape"] else {
        throw reader.error(
          .corrupt(
            "header", expected: "the keys descr, fortran_order, shape",
            found: keys.joined(separator: ", ")))
      }
      (elementType, isBigEndian) = try Self.elementType(fields["descr"], in: reader)
      guard case .boolean(let isFortranOrdered) = fields["fortran_order"] else {
        throw reader.error(
          .corrupt("fortran_order", expected: "True or False", found: "another literal"))
      }
      self.isFortranOrdered = isFortranOrdered
      shape = try Self.shape(fields["shape"], in: reader)
    }

    /// The types that are read and written, by NumPy's names without the byte order.
    static let types: [String: ElementType] = [
      "f2": .float16, "f4": .float32, "f8": .float64, "i4": .int32, "i8": .int64,
    ]

    private static func elementType(
      _ field: PythonLiteral?, in reader: ByteReader
    ) throws(ArchiveError) -> (ElementType, isBigEndian: Bool) {
      guard case .string(let name) = field else {
        throw reader.error(
          .unsupported(
            "element type", expected: "one number an element", found: "a structured type"))
      }
      guard let order = name.first, "<>".contains(order), let type = types[String(name.dropFirst())]
      else {
        // NumPy has no bfloat16: what other packages register is saved nameless.
        let guess =
          name.hasSuffix("V2")
          ? "; if it is bfloat16, save it as float32, with the arithmetic in the manifest" : ""
        throw reader.error(
          .unsupported(
            "element type",
            expected: types.keys.sorted().map { "<" + $0 }.joined(separator: ", ")
              + " or > in place of <",
            found: "'\(name)'\(guess)"))
      }
      return (type, order == ">")
    }

    /// The most axes that an array has, which is NumPy's own limit.
    static let mostAxes = 64

    private static func shape(
      _ field: PythonLiteral?, in reader: ByteReader
    ) throws(ArchiveError) -> Shape {
      var axes: [Int] = []
      if case .sequence(let items) = field {
        for case .integer(let axis) in items { axes.append(axis) }
        if axes.count == items.count, axes.count <= mostAxes, let shape = Shape(checking: axes) {
          return shape
        }
        if axes.count < items.count { axes = [] }
      }
      let found =
        axes.isEmpty
        ? "another literal"
        : axes.count > mostAxes ? "\(axes.count) axes" : Shape.text(axes)
      throw reader.error(
        .corrupt(
          "shape", expected: "at most \(mostAxes) sizes whose product fits 63 bits", found: found))
    }
  }
}
