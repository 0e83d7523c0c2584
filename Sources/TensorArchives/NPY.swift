package import TensorCore

#if canImport(FoundationEssentials)
  package import FoundationEssentials
#else
  package import Foundation
#endif

/// NumPy's format for one array, versions 1.0 to 3.0: magic, version, length of
/// the header, the header (a Python dictionary), the elements.
///
/// Source: NumPy Enhancement Proposal 1 and `numpy.lib.format`'s documentation.
package enum NPY {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// - Parameters:
  ///   - bytes: a whole `.npy` file.
  ///   - path, member: where the bytes come from, for errors.
  /// - Throws: `ArchiveError` for anything but a C-ordered little-endian array
  ///   of a supported type, with exactly as many bytes as its header states.
  package static func decode(
    _ bytes: Data, path: String, member: String? = nil
  ) throws(ArchiveError) -> Tensor {
    var reader = ByteReader(bytes, path: path, member: member)
    guard bytes.starts(with: magic) else {
      throw reader.error(.wrongFormat(expected: "an .npy file", found: bytes.printablePrefix))
    }
    try reader.skip(magic.count, of: "magic")
    let header = try Header(from: &reader)

    let expected = header.shape.elementCount.multipliedReportingOverflow(
      by: header.elementType.byteCount)
    guard !expected.overflow, expected.partialValue == reader.remaining else {
      let count = expected.overflow ? "more than 2^63" : "\(expected.partialValue)"
      throw reader.error(
        .corrupt(
          "the data of \(header.elementType) \(header.shape)",
          expected: "\(count) bytes", found: "\(reader.remaining)"))
    }
    let data = try reader.take(reader.remaining, of: "data")
    switch header.elementType {
    case .float32: return Tensor(elements(of: data, as: Float.self), shape: header.shape)
    case .float64: return Tensor(elements(of: data, as: Double.self), shape: header.shape)
    case .int64: return Tensor(elements(of: data, as: Int64.self), shape: header.shape)
    }
  }

  private static func elements<Element>(of data: Data, as type: Element.Type) -> [Element] {
    let count = data.count / MemoryLayout<Element>.size
    return Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      data.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
  }
}

extension NPY {
  private struct Header {
    let elementType: ElementType
    let shape: Shape

    /// NumPy's own limit on the text of a header that it parses.
    private static let longestText = 10_000

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
      elementType = try Self.elementType(fields["descr"], in: reader)
      guard case .boolean(let isFortranOrdered) = fields["fortran_order"] else {
        throw reader.error(
          .corrupt("fortran_order", expected: "True or False", found: "another literal"))
      }
      guard !isFortranOrdered else {
        throw reader.error(
          .unsupported("order of the axes", expected: "C order", found: "Fortran order"))
      }
      shape = try Self.shape(fields["shape"], in: reader)
    }

    private static func elementType(
      _ field: PythonLiteral?, in reader: ByteReader
    ) throws(ArchiveError) -> ElementType {
      let known: [String: ElementType] = ["<f4": .float32, "<f8": .float64, "<i8": .int64]
      guard case .string(let name) = field else {
        throw reader.error(
          .unsupported(
            "element type", expected: "one number an element", found: "a structured type"))
      }
      guard let type = known[name] else {
        throw reader.error(
          .unsupported(
            "element type", expected: known.keys.sorted().joined(separator: ", "),
            found: "'\(name)'"))
      }
      return type
    }

    private static func shape(
      _ field: PythonLiteral?, in reader: ByteReader
    ) throws(ArchiveError) -> Shape {
      var axes: [Int] = []
      if case .sequence(let items) = field {
        for case .integer(let axis) in items { axes.append(axis) }
        if axes.count == items.count, let shape = Shape(checking: axes) { return shape }
      }
      throw reader.error(
        .corrupt(
          "shape", expected: "sizes whose product fits 63 bits",
          found: axes.isEmpty ? "another literal" : "\(axes)"))
    }
  }
}

/// A single `.npy` file: an archive of one tensor without a name.
struct NPYFile: TensorArchive {
  let path: String
  private let bytes: Data

  init(path: String) throws(ArchiveError) {
    self.path = path
    bytes = try FileBytes.read(path)
  }

  var tensorNames: [String] { [""] }

  func manifest() -> String? { nil }

  func tensor(named name: String) throws(ArchiveError) -> Tensor {
    try requireMember(name)
    return try NPY.decode(bytes, path: path)
  }
}
