import TensorCore

/// A folder as an archive: `.npy` files in it and in its folders are tensors by
/// their paths, files of the other containers add what they hold, and
/// `manifest.json` is the manifest.
struct FolderArchive: TensorArchive {
  let path: String
  let tensorNames: [String]
  private let parts: [String: Part]
  private let hasManifest: Bool

  private struct Part {
    let archive: any TensorArchive
    let name: String
  }

  /// Deeper folders are not looked into: a fixture's are two levels deep.
  private static let deepest = 8

  init(path: String) throws(ArchiveError) {
    self.path = path
    var parts: [String: Part] = [:]
    try Self.collect(path, prefix: "", depth: 0, into: &parts)
    self.parts = parts
    tensorNames = parts.keys.sorted()
    hasManifest = try FileBytes.names(in: path).contains(manifestName)
  }

  private static func collect(
    _ folder: String, prefix: String, depth: Int, into parts: inout [String: Part]
  ) throws(ArchiveError) {
    guard depth < deepest else {
      throw ArchiveError(
        path: folder,
        .unsupported("folder", expected: "at most \(deepest) levels", found: "more"))
    }
    for file in try FileBytes.names(in: folder) {
      let path = folder + "/" + file
      if try FileBytes.kind(of: path) == .folder {
        try collect(path, prefix: prefix + file + "/", depth: depth + 1, into: &parts)
        continue
      }
      guard let container = TensorContainer(path: file) else { continue }
      let archive = try TensorContainer.open(path)
      for name in archive.tensorNames {
        let key = container.holdsNames ? prefix + name : prefix + String(file.dropLast(4))
        if let other = parts.updateValue(Part(archive: archive, name: name), forKey: key) {
          throw ArchiveError(
            path: path, member: key,
            .corrupt("tensor", expected: "one file that holds it", found: other.archive.path))
        }
      }
    }
  }

  func manifest() throws(ArchiveError) -> String? {
    guard hasManifest else { return nil }
    let path = path + "/" + manifestName
    return try decodeUTF8(FileBytes.read(path), path: path, member: nil)
  }

  func tensor(named name: String) throws(ArchiveError) -> Tensor {
    guard let part = parts[name] else {
      throw ArchiveError(path: path, member: name, .noSuchMember(available: tensorNames))
    }
    return try part.archive.tensor(named: part.name)
  }
}
