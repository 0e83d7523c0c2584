/// Finds all files below a folder, with the prefix that each one's tensors have.
struct FolderWalk {
  let boundary: FileBoundary?
  /// Paths without symbolic links, to be left out.
  let excludedFiles: Set<String>
  private(set) var files: [(path: String, prefix: String)] = []
  /// Of folders that hold a manifest.
  private(set) var prefixesOfManifests: Set<String> = []
  private var visited: Set<String> = []

  /// Deeper folders are not looked into: a fixture's are two levels deep.
  static let deepest = 8

  init(boundary: FileBoundary?, excluding excludedFiles: Set<String>) {
    self.boundary = boundary
    self.excludedFiles = excludedFiles
  }

  mutating func visit(_ folder: String, prefix: String, depth: Int) throws(ArchiveError) {
    guard depth < Self.deepest else {
      throw ArchiveError(
        path: folder,
        .unsupported("folder", expected: "at most \(Self.deepest) levels", found: "more"))
    }
    guard visited.insert(FileBoundary.resolved(folder) ?? folder).inserted else {
      throw ArchiveError(
        path: folder,
        .corrupt("folder", expected: "every folder once", found: "a link to one met before"))
    }
    for name in try FileBytes.names(in: folder) {
      let path = folder + "/" + name
      try boundary?.check(path)
      if try FileBytes.kind(of: path) == .folder {
        try visit(path, prefix: prefix + name + "/", depth: depth + 1)
      } else if !excludedFiles.contains(FileBoundary.resolved(path) ?? path) {
        files.append((path, prefix))
        if name == manifestName { prefixesOfManifests.insert(prefix) }
      }
    }
  }
}
