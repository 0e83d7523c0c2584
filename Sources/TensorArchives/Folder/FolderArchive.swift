import TensorCore

/// A folder as an archive.
///
/// An `.npy` or `.npy.gz` file in it, or in a folder in it, is the tensor that is named like
/// its path without the ending. A file of another format adds the tensors that it holds. The
/// file `manifest.json` is the manifest.
struct FolderArchive: TensorArchive {
  let path: String
  let tensorNames: [String]
  let otherFiles: [String]
  /// Where the tensors are, by their names in this archive.
  private let parts: [String: Part]
  private let boundary: FileBoundary?

  /// A tensor of one of the files.
  private struct Part {
    let archive: any TensorArchive
    /// Its name in that file.
    let name: String
  }

  /// - Parameters: as `PendingArchive.archive`.
  init(
    path: String, within boundary: FileBoundary?, excluding excludedFiles: Set<String>,
    namingFiles: Bool
  ) throws(ArchiveError) {
    self.path = path
    self.boundary = boundary
    var parts: [String: Part] = [:]
    var walk = FolderWalk(boundary: boundary, excluding: excludedFiles)
    try walk.visit(path, prefix: "", depth: 0)
    var otherFiles: [String] = []
    for file in walk.files where !TensorContainer.isDescription(file.path) {
      guard TensorContainer.found(at: file.path) != nil else {
        otherFiles.append(file.path)
        continue
      }
      let archive = try TensorContainer.open(file.path)
      for name in archive.tensorNames {
        let stem = TensorContainer.stem(of: file.path)
        let isNamed = namingFiles && !walk.prefixesOfManifests.contains(file.prefix)
        // The tensor of a file that holds one without a name is named like the file.
        let own = name.isEmpty ? stem : isNamed ? stem + "/" + name : name
        let key = file.prefix + own
        if let other = parts.updateValue(Part(archive: archive, name: name), forKey: key) {
          throw ArchiveError(
            path: file.path, member: key,
            .corrupt("tensor", expected: "one file that holds it", found: other.archive.path))
        }
      }
    }
    self.parts = parts
    self.otherFiles = otherFiles.sorted()
    tensorNames = parts.keys.sorted()
  }

  /// The text of the manifest of the folder at `path`; nil where it has none.
  static func manifest(
    in path: String, within boundary: FileBoundary?
  ) throws(ArchiveError) -> String? {
    guard try FileBytes.names(in: path).contains(manifestName) else { return nil }
    let file = path + "/" + manifestName
    try boundary?.check(file)
    let bytes = try FileBytes.read(file)
    try checkManifestSize(bytes.count, path: file, member: nil)
    return try decodeUTF8(bytes, path: file, member: nil)
  }

  func manifest() throws(ArchiveError) -> String? {
    try Self.manifest(in: path, within: boundary)
  }

  func tensor(named name: String) throws(ArchiveError) -> Tensor {
    let part = try part(name)
    return try part.archive.tensor(named: part.name)
  }

  func header(of name: String) throws(ArchiveError) -> TensorHeader {
    let part = try part(name)
    return try part.archive.header(of: part.name)
  }

  func source(of name: String) throws(ArchiveError) -> any TensorSource {
    let part = try part(name)
    return try part.archive.source(of: part.name)
  }

  private func part(_ name: String) throws(ArchiveError) -> Part {
    guard let part = parts[name] else {
      throw ArchiveError(path: path, member: name, .noSuchMember(available: tensorNames))
    }
    return part
  }
}
