import JSON
import Platform
import TensorCore

/// Writes a safetensors file: the widest elements first, so that all are aligned, and tensors
/// of the same type by their names. The same tensors give the same bytes in every run.
enum SafetensorsWriter {
  /// Writes all tensors, and the manifest where there is one.
  ///
  /// - Throws: `ArchiveError` where the file can't be written, or a tensor has the name that
  ///   the format keeps for itself.
  static func write(
    _ tensors: [String: Tensor], manifest: String?, to path: String
  ) throws(ArchiveError) {
    let key = SafetensorsHeader.metadataKey
    guard tensors[key] == nil else {
      throw ArchiveError(
        path: path, member: key,
        .unsupported("name", expected: "another than the format's own", found: "\"\(key)\""))
    }
    let ordered = tensors.sorted {
      let (own, other) = ($0.value.elementType.byteCount, $1.value.elementType.byteCount)
      return own == other ? $0.key < $1.key : own > other
    }
    var header: [String: JSONValue] = [:]
    if let manifest { header[key] = .object(["manifest": .string(manifest)]) }
    var offset = 0
    for (name, tensor) in ordered {
      let end = offset + TensorHeader(of: tensor).byteCount
      header[name] = .object([
        "dtype": .string(typeName(tensor.elementType)),
        "shape": .array(tensor.shape.axes.map(JSONValue.integer)),
        "data_offsets": .array([.integer(offset), .integer(end)]),
      ])
      offset = end
    }
    var text = Array(JSONValue.object(header).compactText.utf8)
    // The elements start at a multiple of eight bytes.
    text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    var start = Data()
    start.append(u64: text.count)
    start.append(contentsOf: text)
    var file = try FileWriter(path: path)
    try file.write(MemberContents(start))
    for (_, tensor) in ordered {
      try file.write(MemberContents(Data(), elementsOf: tensor))
    }
    try file.commit()
  }

  private static func typeName(_ type: ElementType) -> String {
    guard let name = Safetensors.types.first(where: { $0.value == .plain(type) })?.key else {
      preconditionFailure("every type of a tensor has a name")
    }
    return name
  }
}
