import Platform
import TensorCore

/// What stands before the elements in a GGUF file, as llama.cpp uses it, checked against the
/// size of the file.
///
/// All numbers are little-endian. The file starts with `GGUF`, the version (32 bits), the number
/// of tensors and the number of metadata (64 bits each). Then come the metadata: a key, a type,
/// and a value of that type; texts have their length, of 64 bits, before them. Then comes for
/// each tensor its name, the number of axes (32 bits), their sizes (64 bits each), the type of
/// its elements (32 bits), and where these start (64 bits), counted from the first byte of the
/// data, which is at the next multiple of the alignment: that under `general.alignment`, or 32.
///
/// The first size is that of the axis whose elements are neighbours, which is the last one of a
/// tensor in PyTorch: the order is turned here.
///
/// Source: `docs/gguf.md` and `include/ggml.h` in ggml-org/ggml, versions 2 and 3 of the format.
struct GGUFHeader {
  /// One tensor, as the header states it.
  struct Item {
    let name: String
    /// The number of its type in ggml.
    let type: Int
    /// In PyTorch's order.
    let shape: Shape
    /// Where its elements start, in bytes from the first byte of the data.
    let offset: Int
  }

  let items: [Item]
  /// Where the data starts, in bytes from the file's first.
  let dataOffset: Int

  private static let magic = Array("GGUF".utf8)
  /// ggml's own limit, for a number of axes.
  private static let mostAxes = 4
  /// The most levels of arrays in arrays; no file has any.
  private static let largestDepth = 8
  private static let largestAlignment = 1 << 20
  private static let alignmentKey = "general.alignment"

  /// - Parameter bytes: the whole file.
  /// - Throws: `ArchiveError.Reason` where it is no GGUF file of these versions, or the header
  ///   contradicts itself.
  init(of bytes: Data) throws(ArchiveError.Reason) {
    guard bytes.starts(with: Self.magic) else {
      guard bytes.isEmpty || !Self.magic.starts(with: bytes) else {
        throw .truncated(
          "the magic number", expectedBytes: Self.magic.count, foundBytes: bytes.count)
      }
      throw .wrongFormat(expected: "a GGUF file", found: bytes.printablePrefix)
    }
    var reader = ByteReader(bytes, at: Self.magic.count)
    let version = try reader.integer(UInt32.self, of: "version")
    guard (2...3).contains(version) else {
      let isSwapped = version & 0xFFFF == 0
      throw .unsupported(
        "version", expected: "2 or 3", found: isSwapped ? "a big-endian file" : "\(version)")
    }
    let count = try reader.integer(UInt64.self, of: "number of tensors")
    guard count <= TensorTable.largestCount else {
      throw .unsupported(
        "tensors", expected: "at most \(TensorTable.largestCount)", found: "\(count)")
    }
    let metadataCount = try reader.integer(UInt64.self, of: "number of metadata")
    var alignment = 32
    var keys: Set<String> = []
    for _ in 0..<metadataCount {
      let key = try Self.text(from: &reader, "key of the metadata")
      guard keys.insert(key).inserted else {
        throw .corrupt(
          "metadata", expected: "every key once", found: "\(TensorName.shown(key)) twice")
      }
      let type = try reader.integer(UInt32.self, of: "type of the metadata")
      guard key == Self.alignmentKey else {
        try Self.skip(type, from: &reader, key, depth: 0)
        continue
      }
      alignment = try Self.alignment(type, from: &reader)
    }
    var items: [Item] = []
    for _ in 0..<count { items.append(try Self.item(from: &reader)) }
    self.items = items
    dataOffset = (reader.offset + alignment - 1) / alignment * alignment
    for item in items where item.offset % alignment != 0 {
      throw .corrupt(
        "tensor \(TensorName.shown(item.name))",
        expected: "an offset that is a multiple of \(alignment)", found: "\(item.offset)")
    }
  }

  private static func alignment(
    _ type: Int, from reader: inout ByteReader
  ) throws(ArchiveError.Reason) -> Int {
    guard type == 4 else {
      throw .corrupt(alignmentKey, expected: "the type 4, uint32", found: "\(type)")
    }
    let alignment = try reader.integer(UInt32.self, of: alignmentKey)
    guard (1...largestAlignment).contains(alignment), alignment % 8 == 0 else {
      throw .corrupt(
        alignmentKey, expected: "a multiple of 8 up to \(largestAlignment)", found: "\(alignment)")
    }
    return alignment
  }

  private static func item(from reader: inout ByteReader) throws(ArchiveError.Reason) -> Item {
    let name = try text(from: &reader, "name of a tensor")
    let what = "tensor \(TensorName.shown(name))"
    let rank = try reader.integer(UInt32.self, of: what)
    guard rank <= mostAxes else {
      throw .corrupt(what, expected: "at most \(mostAxes) axes", found: "\(rank)")
    }
    var axes: [Int] = []
    for _ in 0..<rank { axes.append(try reader.integer(UInt64.self, of: what)) }
    guard let shape = Shape(checking: axes.reversed()) else {
      throw .corrupt(
        what, expected: "sizes whose product fits 63 bits", found: Shape.text(axes))
    }
    let type = try reader.integer(UInt32.self, of: what)
    return Item(
      name: name, type: type, shape: shape, offset: try reader.integer(UInt64.self, of: what))
  }

  private static func text(
    from reader: inout ByteReader, _ what: String
  ) throws(ArchiveError.Reason) -> String {
    let length = try reader.integer(UInt64.self, of: what)
    guard let text = String(validating: try reader.take(length, of: what), as: UTF8.self) else {
      throw .corrupt(what, expected: "UTF-8", found: "other bytes")
    }
    return text
  }

  /// The sizes in bytes of the types of metadata, from type 0 on; nil for texts and arrays.
  private static let sizes: [Int?] = [1, 1, 2, 2, 4, 4, 4, 1, nil, nil, 8, 8, 8]

  /// Passes over one value.
  private static func skip(
    _ type: Int, from reader: inout ByteReader, _ key: String, depth: Int
  ) throws(ArchiveError.Reason) {
    let what = "metadata \(TensorName.shown(key))"
    switch type {
    case 8:
      try reader.skip(try reader.integer(UInt64.self, of: what), of: what)
    case 9:
      guard depth < largestDepth else {
        throw .unsupported(what, expected: "at most \(largestDepth) levels", found: "more")
      }
      let itemType = try reader.integer(UInt32.self, of: what)
      let count = try reader.integer(UInt64.self, of: what)
      guard sizes.indices.contains(itemType), let size = sizes[itemType] else {
        for _ in 0..<count { try skip(itemType, from: &reader, key, depth: depth + 1) }
        return
      }
      let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
      try reader.skip(overflow ? .max : bytes, of: what)
    default:
      guard sizes.indices.contains(type), let size = sizes[type] else {
        throw .corrupt(what, expected: "a type from 0 to \(sizes.count - 1)", found: "\(type)")
      }
      try reader.skip(size, of: what)
    }
  }
}
