import JSON
import Platform
import TensorCore

/// What stands before the elements in a safetensors file, checked against the file as a whole.
///
/// The file starts with the length of a JSON text (64 bits, little-endian), then comes the
/// text, perhaps with spaces behind it, and then the elements of all tensors. The text is an
/// object: each tensor's name leads to its type (`dtype`), its axes (`shape`) and the bytes
/// where its elements start and end (`data_offsets`), counted from the first byte behind the
/// text. The bytes of the tensors must follow each other without a gap from the first byte to
/// the file's last. `__metadata__` leads to texts by their names.
///
/// Source: the section "Format" of the README of huggingface/safetensors. The format allows a
/// text of 100 MB; here it is read up to 16 MiB, which is enough for some 100,000 tensors.
struct SafetensorsHeader {
  /// One tensor, as the header states it.
  struct Item {
    let name: String
    /// The name of its type.
    let type: String
    let shape: Shape
    /// Where its elements stand, in bytes from the first byte behind the header.
    let range: Range<Int>
  }

  /// In the order of their bytes.
  let items: [Item]
  /// The texts under `__metadata__`.
  let metadata: [String: String]
  /// Where the first tensor's elements start, in bytes from the file's first.
  let dataOffset: Int

  /// The key of the texts that belong to no tensor.
  static let metadataKey = "__metadata__"

  private static let largestLength = 16 << 20

  /// - Parameter bytes: the whole file.
  /// - Throws: `ArchiveError` where it is no safetensors file, or the header contradicts itself
  ///   or the size of the file.
  init(of bytes: Data, path: String) throws(ArchiveError) {
    let (text, dataOffset) = try ArchiveError.locating(path) { () throws(ArchiveError.Reason) in
      try Self.text(of: bytes)
    }
    self.dataOffset = dataOffset
    let values = try ArchiveError.locating(path) { () throws(ArchiveError.Reason) in
      try Self.object(parsing: text)
    }
    var metadata: [String: String] = [:]
    var items: [Item] = []
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      try ArchiveError.locating(path, member: TensorName.short(name)) {
        () throws(ArchiveError.Reason) in
        if name == Self.metadataKey {
          metadata = try Self.metadata(value)
        } else {
          items.append(try Item(name, value))
        }
      }
    }
    self.metadata = metadata
    self.items = items.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    try checkOrder(size: bytes.count - dataOffset, path: path)
  }

  /// The text of the header, and the number of bytes up to its end.
  private static func text(of bytes: Data) throws(ArchiveError.Reason) -> (String, Int) {
    var reader = ByteReader(bytes)
    // The byte behind the length is the text's first.
    guard bytes.count < 9 || bytes[bytes.startIndex + 8] == UInt8(ascii: "{") else {
      throw .wrongFormat(expected: "a safetensors file", found: bytes.printablePrefix)
    }
    let length = try reader.integer(UInt64.self, of: "length of the header")
    guard length <= largestLength else {
      throw .corrupt(
        "length of the header", expected: "at most \(largestLength) bytes", found: "\(length)")
    }
    let data = try reader.take(length, of: "header")
    guard let text = String(validating: data, as: UTF8.self) else {
      throw .corrupt("header", expected: "UTF-8", found: "other bytes")
    }
    return (text, reader.offset)
  }

  private static func object(
    parsing text: String
  ) throws(ArchiveError.Reason) -> [String: JSONValue] {
    let value: JSONValue
    do {
      value = try JSONParser.parse(text)
    } catch {
      throw .corrupt("header, \(error.place)", expected: error.expected, found: error.found)
    }
    guard case .object(let values) = value else {
      throw .corrupt("header", expected: "an object", found: value.summary)
    }
    return values
  }

  private static func metadata(_ value: JSONValue) throws(ArchiveError.Reason) -> [String: String] {
    // MLX writes this where it has none.
    if value == .null { return [:] }
    guard case .object(let values) = value else {
      throw .corrupt("metadata", expected: "an object", found: value.summary)
    }
    var texts: [String: String] = [:]
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      guard case .string(let text) = value else {
        throw .corrupt(
          "metadata " + TensorName.shown(key), expected: "a string", found: value.summary)
      }
      texts[key] = text
    }
    return texts
  }

  /// Checks that the tensors' bytes follow each other, and fill the file.
  ///
  /// - Parameter size: the number of bytes behind the header.
  private func checkOrder(size: Int, path: String) throws(ArchiveError) {
    var (end, last) = (0, "the header")
    for item in items {
      guard item.range.lowerBound == end else {
        let kind = item.range.lowerBound < end ? "an overlap" : "a gap"
        throw ArchiveError(
          path: path, member: item.name,
          .corrupt(
            "data_offsets", expected: "a start at \(end), behind \(last)",
            found: "\(item.range.lowerBound), \(kind)"))
      }
      (end, last) = (item.range.upperBound, TensorName.shown(item.name))
    }
    guard end <= size else {
      throw ArchiveError(path: path, .truncated("the data", expectedBytes: end, foundBytes: size))
    }
    guard end == size else {
      throw ArchiveError(
        path: path,
        .corrupt("the data", expected: "\(end) bytes, as the header says", found: "\(size)"))
    }
  }
}

extension SafetensorsHeader.Item {
  /// - Throws: `ArchiveError.Reason` where the value does not describe a tensor.
  fileprivate init(_ name: String, _ value: JSONValue) throws(ArchiveError.Reason) {
    let keys = ["data_offsets", "dtype", "shape"]
    guard case .object(let values) = value else {
      throw .corrupt("header", expected: "an object", found: value.summary)
    }
    guard values.keys.sorted() == keys else {
      let found = values.keys.sorted().prefix(4).map(TensorName.shown).joined(separator: ", ")
      throw .corrupt(
        "header", expected: "the keys dtype, shape and data_offsets",
        found: found.isEmpty ? "none" : found)
    }
    guard case .string(let type)? = values["dtype"] else {
      throw .corrupt("dtype", expected: "a string", found: values["dtype"]?.summary ?? "none")
    }
    let axes = try Self.integers("shape", values)
    guard axes.count <= NPY.Header.mostAxes, let shape = Shape(checking: axes) else {
      throw .corrupt(
        "shape",
        expected: "at most \(NPY.Header.mostAxes) sizes whose product fits 63 bits",
        found: axes.count > 8 ? "\(axes.count) axes" : Shape.text(axes))
    }
    let offsets = try Self.integers("data_offsets", values)
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw .corrupt(
        "data_offsets", expected: "a start and an end that is not before it",
        found: offsets.count > 8 ? "\(offsets.count) numbers" : Shape.text(offsets))
    }
    self.init(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
    try checkSize()
  }

  private static func integers(
    _ key: String, _ values: [String: JSONValue]
  ) throws(ArchiveError.Reason) -> [Int] {
    guard case .array(let items)? = values[key] else {
      throw .corrupt(
        key, expected: "an array of integers", found: values[key]?.summary ?? "none")
    }
    return try items.map { item throws(ArchiveError.Reason) in
      guard case .integer(let number) = item, number >= 0 else {
        throw .corrupt(key, expected: "integers from 0 on", found: item.summary)
      }
      return number
    }
  }

  /// Compares the type and the shape with the number of bytes. Of a type that this module does
  /// not know the size is unknown too.
  private func checkSize() throws(ArchiveError.Reason) {
    guard let bits = Safetensors.bits[type] else { return }
    let (total, overflow) = shape.elementCount.multipliedReportingOverflow(by: bits)
    guard !overflow, total % 8 == 0, total / 8 == range.count else {
      throw .corrupt(
        "the data of \(type) \(shape)",
        expected: overflow ? "more than 2^63 bits" : "\((total + 7) / 8) bytes",
        found: "\(range.count)")
    }
  }
}
