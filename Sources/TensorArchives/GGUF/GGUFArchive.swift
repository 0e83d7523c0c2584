import Platform
import TensorCore

/// A GGUF file as an archive. It holds no manifest. Elements of the type Q8_0 are handed out as
/// float32.
struct GGUFArchive: TableArchive {
  let path: String
  let tensorNames: [String]
  let table: TensorTable

  /// The types that are read, by their numbers in ggml.
  private static let types: [Int: StoredType] = [
    0: .plain(.float32), 1: .plain(.float16), 8: .q8, 24: .int8, 25: .int16,
    26: .plain(.int32), 27: .plain(.int64), 28: .plain(.float64), 30: .plain(.bfloat16),
  ]

  /// The names of other types that are common, for errors.
  private static let otherTypes = [
    2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K",
    13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 20: "IQ4_NL",
    23: "IQ4_XS",
  ]

  /// - Throws: `ArchiveError` where it is no GGUF file, is cut off, or its tensors overlap.
  init(path: String) throws(ArchiveError) {
    self.path = path
    let bytes = try FileBytes.read(path)
    let header = try ArchiveError.locating(path) { () throws(ArchiveError.Reason) in
      try GGUFHeader(of: bytes)
    }
    var table = TensorTable(fileSize: bytes.count)
    var ends: (name: String, end: Int) = ("the header", 0)
    for item in header.items.sorted(by: { $0.offset < $1.offset }) {
      try ArchiveError.locating(path, member: TensorName.short(item.name)) {
        () throws(ArchiveError.Reason) in
        guard let type = Self.types[item.type] else {
          let found = Self.otherTypes[item.type] ?? "type \(item.type)"
          return try table.add(item.name, .failure(Self.unknown(found)))
        }
        guard item.offset >= ends.end else {
          throw .corrupt(
            "data", expected: "its start at \(ends.end) or later, behind \(ends.name)",
            found: "\(item.offset), an overlap")
        }
        let size = try Self.size(of: item, type)
        let (start, overflow) = item.offset.addingReportingOverflow(header.dataOffset)
        guard !overflow, start <= bytes.count, size <= bytes.count - start else {
          throw .truncated(
            "the data", expectedBytes: size,
            foundBytes: overflow ? 0 : max(0, bytes.count - start))
        }
        let first = bytes.startIndex + start
        try table.add(
          item.name,
          .success(
            TableEntry(type, item.shape, data: bytes[first..<first + size], offset: start)))
        ends = (TensorName.shown(item.name), item.offset + size)
      }
    }
    self.table = table
    tensorNames = table.entries.keys.sorted()
  }

  func manifest() -> String? { nil }

  /// The number of bytes of a tensor's elements.
  private static func size(
    of item: GGUFHeader.Item, _ type: StoredType
  ) throws(ArchiveError.Reason) -> Int {
    let row = item.shape.axes.last ?? 1
    guard row % type.blockElements == 0 else {
      throw .corrupt(
        "shape", expected: "a last axis of a multiple of \(type.blockElements)",
        found: "\(item.shape)")
    }
    guard let size = type.byteCount(of: item.shape.elementCount) else {
      throw .corrupt("shape", expected: "fewer than 2^63 bytes", found: "\(item.shape)")
    }
    return size
  }

  private static func unknown(_ type: String) -> ArchiveError.Reason {
    .unsupported(
      "element type", expected: "F64, F32, F16, BF16, Q8_0, or integers",
      found: "\(type); convert the model to one of these, such as --outtype f32")
  }
}
