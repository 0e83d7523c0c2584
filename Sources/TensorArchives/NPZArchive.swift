import TensorCore

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// NumPy's `.npz`: a ZIP file whose members are `.npy` files, stored or
/// deflated, and perhaps `manifest.json`.
struct NPZArchive: TensorArchive {
  let path: String
  let tensorNames: [String]
  private let bytes: Data
  private let directory: ZIPDirectory

  init(path: String) throws(ArchiveError) {
    self.path = path
    bytes = try FileBytes.read(path)
    directory = try ZIPDirectory(of: bytes, path: path)
    var names: [String] = []
    for member in directory.entries.keys.sorted() where member != manifestName {
      if member.hasSuffix("/") { continue }  // a folder's own entry
      guard member.hasSuffix(".npy") else {
        throw ArchiveError(
          path: path, member: member,
          .unsupported("member", expected: "a name ending in .npy", found: "another file"))
      }
      names.append(String(member.dropLast(4)))
    }
    tensorNames = names
  }

  func manifest() throws(ArchiveError) -> String? {
    guard let entry = directory.entries[manifestName] else { return nil }
    try checkManifestSize(entry.size, path: path, member: manifestName)
    return try decodeUTF8(contents(of: entry), path: path, member: manifestName)
  }

  func tensor(named name: String) throws(ArchiveError) -> Tensor {
    guard let entry = directory.entries[name + ".npy"] else {
      throw ArchiveError(path: path, member: name, .noSuchMember(available: tensorNames))
    }
    return try NPY.decode(contents(of: entry), path: path, member: entry.name)
  }

  private func contents(of entry: ZIPDirectory.Entry) throws(ArchiveError) -> Data {
    var reader = ByteReader(bytes, at: entry.headerOffset, path: path, member: entry.name)
    let what = "local header"
    try reader.expect(0x0403_4B50, of: what)
    try reader.skip(22, of: what)  // all of it stands in the central directory too
    let nameLength = try reader.integer(UInt16.self, of: what)
    let extraLength = try reader.integer(UInt16.self, of: what)
    let name = String(decoding: try reader.take(nameLength, of: what), as: UTF8.self)
    guard name == entry.name else {
      throw reader.error(
        .corrupt(what, expected: "the name of the central directory", found: "\"\(name)\""))
    }
    try reader.skip(extraLength, of: what)
    let stored = try reader.take(entry.compressedSize, of: "data")

    let contents: Data
    switch entry.method {
    case .stored: contents = stored
    case .deflated:
      switch Inflate.unpack(stored, from: .raw, size: entry.size) {
      case .success(let bytes): contents = bytes
      case .failure(let failure):
        throw reader.error(
          .corrupt("deflated data", expected: "\(entry.size) bytes", found: failure.found))
      }
    }
    var checksum = CRC32()
    contents.withUnsafeBytes { checksum.update($0) }
    guard checksum.value == entry.checksum else {
      throw reader.error(
        .corrupt(
          "CRC-32", expected: hexadecimal(UInt64(entry.checksum), digits: 8),
          found: checksum.description))
    }
    return contents
  }
}
