import Platform
import TensorCore

/// A safetensors file as an archive. Its manifest, where it is a fixture, is the text that
/// `__metadata__` has under `manifest`.
///
/// The file is mapped, and tensors use its bytes in place.
struct SafetensorsArchive: TableArchive {
  let path: String
  let tensorNames: [String]
  let table: TensorTable
  private let manifestText: String?

  /// - Throws: `ArchiveError` where it is no safetensors file, or any part of it contradicts
  ///   another.
  init(path: String) throws(ArchiveError) {
    self.path = path
    let bytes = try FileBytes.read(path)
    let header = try SafetensorsHeader(of: bytes, path: path)
    var table = TensorTable(fileSize: bytes.count)
    for item in header.items {
      try ArchiveError.locating(path, member: TensorName.short(item.name)) {
        () throws(ArchiveError.Reason) in
        try table.add(item.name, Self.entry(item, bytes, header.dataOffset))
      }
    }
    self.table = table
    tensorNames = table.entries.keys.sorted()
    manifestText = header.metadata["manifest"]
  }

  func manifest() throws(ArchiveError) -> String? {
    guard let manifestText else { return nil }
    try checkManifestSize(
      manifestText.utf8.count, path: path, member: SafetensorsHeader.metadataKey)
    return manifestText
  }

  private static func entry(
    _ item: SafetensorsHeader.Item, _ bytes: Data, _ dataOffset: Int
  ) -> Result<TableEntry, ArchiveError.Reason> {
    guard let type = Safetensors.types[item.type] else {
      return .failure(Safetensors.unknown(item.type))
    }
    let offset = dataOffset + item.range.lowerBound
    let start = bytes.startIndex + offset
    return .success(
      TableEntry(
        type, item.shape, data: bytes[start..<start + item.range.count], offset: offset))
  }
}
