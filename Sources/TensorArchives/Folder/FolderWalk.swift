/// Finds all files in a folder and in the folders in it.
///
/// ```swift
/// var walk = FolderWalk(boundary: nil, excluding: [])
/// try walk.visit("my-case", prefix: "", depth: 0)
/// walk.files  // [(path: "my-case/outputs/h_n.npy", prefix: "outputs/"), …]
/// ```
struct FolderWalk {
  let boundary: FileBoundary?
  /// Files to be left out, by their paths from the root, without symbolic links.
  let excludedFiles: Set<String>
  /// The files that were found. The prefix is what the names of a file's tensors start with:
  /// the folders on the way to it, with `/` behind each.
  private(set) var files: [(path: String, prefix: String)] = []
  /// The prefixes of the files in those folders that hold a manifest.
  private(set) var prefixesOfManifests: Set<String> = []
  /// The folders that were looked into, by their paths from the root, without symbolic
  /// links.
  private var visited: Set<String> = []

  /// The most levels of folders that are looked into. Those of a fixture are two.
  static let largestDepth = 8

  init(boundary: FileBoundary?, excluding excludedFiles: Set<String>) {
    self.boundary = boundary
    self.excludedFiles = excludedFiles
  }

  /// Finds the files in one folder.
  ///
  /// - Parameters:
  ///   - prefix: of the files in it.
  ///   - depth: how many folders are around it.
  /// - Throws: `ArchiveError` where a folder can't be listed, links make a circle, folders
  ///   lie too deep in each other, or something lies outside of the boundary.
  mutating func visit(_ folder: String, prefix: String, depth: Int) throws(ArchiveError) {
    guard depth < Self.largestDepth else {
      throw ArchiveError(
        path: folder,
        .unsupported("folder", expected: "at most \(Self.largestDepth) levels", found: "more"))
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
