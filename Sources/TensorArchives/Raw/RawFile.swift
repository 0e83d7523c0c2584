import Platform
package import TensorCore

/// A file that holds the elements of one tensor and nothing else, as `numpy.ndarray.tofile` or
/// `fwrite` leave them: little-endian, in row-major order. It is an archive of one tensor without
/// a name.
///
/// The type and the shape stand in a JSON beside it, `output.json` for `output.f32`
/// (`RawDescription`), unless the caller knows them.
package struct RawFile: TensorArchive {
  package let path: String
  private let entry: TableEntry

  package var tensorNames: [String] { [""] }

  /// - Parameter shape: nil where the JSON tells it.
  /// - Throws: `ArchiveError` where the file can't be read, nothing tells its shape, or it has not
  ///   as many bytes as its type and shape say.
  package init(path: String, shape: Shape? = nil) throws(ArchiveError) {
    self.path = path
    let bytes = try FileBytes.read(path)
    let description = try RawDescription(of: path)
    let type = description?.elementType ?? Self.elementType(of: path)
    guard let shape = shape ?? description?.shape else {
      throw ArchiveError(
        path: path,
        .unsupported(
          "shape",
          expected: RawDescription.paths(for: path).joined(separator: " or ")
            + #" with {"dtype": "float32", "shape": [3, 7, 5]}, or --shape 3,7,5"#,
          found: "neither, and \(bytes.count) bytes: \(bytes.count / type.byteCount) of \(type)"))
    }
    let (size, overflow) = shape.elementCount.multipliedReportingOverflow(by: type.byteCount)
    guard !overflow, size == bytes.count else {
      throw ArchiveError(
        path: path,
        .corrupt(
          "the data of \(type) \(shape)", expected: overflow ? "more" : "\(size) bytes",
          found: "\(bytes.count)"))
    }
    entry = TableEntry(.plain(type), shape, data: bytes, offset: 0)
  }

  package func manifest() -> String? { nil }

  package func header(of name: String) throws(ArchiveError) -> TensorHeader {
    try requireMember(name)
    return entry.header
  }

  package func tensor(named name: String) throws(ArchiveError) -> Tensor {
    try requireMember(name)
    return try ArchiveError.locating(path, entry.load)
  }

  package func source(of name: String) throws(ArchiveError) -> any TensorSource {
    try requireMember(name)
    return try FileSource(
      entry.header, path: path, member: nil, start: 0, isBigEndian: false, checksum: nil)
  }

  /// The endings of such files, and the type that each tells; `.raw` tells none.
  static let endings: [(ending: String, type: ElementType?)] = [
    (".raw", nil), (".f16", .float16), (".bf16", .bfloat16), (".f32", .float32), (".f64", .float64),
  ]

  /// The type that the ending tells, and else float32, which most are of.
  private static func elementType(of path: String) -> ElementType {
    let name = path.lowercased()
    return endings.first { name.hasSuffix($0.ending) }?.type ?? .float32
  }
}
