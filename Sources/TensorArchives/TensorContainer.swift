/// The containers, by the names of their files.
package enum TensorContainer: CaseIterable, Sendable {
  case npy
  case compressedNPY
  case npz
  case hdf5

  package var extensions: [String] {
    switch self {
    case .npy: [".npy"]
    case .compressedNPY: [".npy.gz"]
    case .npz: [".npz"]
    case .hdf5: [".h5", ".hdf5"]
    }
  }

  /// Whether one file of this kind holds tensors by name, and so can be a case.
  package var holdsNames: Bool {
    switch self {
    case .npy, .compressedNPY: false
    case .npz, .hdf5: true
    }
  }

  /// The container that a file's name promises, in any case of letters.
  package init?(path: String) {
    guard let match = Self.match(path) else { return nil }
    self = match.container
  }

  /// The name of a file without its folders and its container's ending.
  package static func stem(of path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    return String(name.dropLast(match(path)?.ending.count ?? 0))
  }

  private static func match(_ path: String) -> (container: TensorContainer, ending: String)? {
    let name = (path.split(separator: "/").last ?? "").lowercased()
    for container in allCases {
      for ending in container.extensions where name.hasSuffix(ending) && name != ending {
        return (container, ending)
      }
    }
    return nil
  }

  /// Opens the archive at `path`, whatever its kind. Its members are not read yet.
  ///
  /// - Parameters:
  ///   - boundary: what a folder's files must lie in; nil for anywhere.
  ///   - namingFiles: whether the names of what a folder's files hold start with the file's,
  ///     `gru/outputs/h_n`, but in a folder with a manifest: for folders of many cases.
  /// - Throws: `ArchiveError` where nothing is there, its ending is unknown, or
  ///   it is not what its ending promises.
  package static func open(
    _ path: String, within boundary: FileBoundary? = nil, namingFiles: Bool = false
  ) throws(ArchiveError) -> any TensorArchive {
    try PendingArchive(path, within: boundary).archive(namingFiles: namingFiles)
  }

  static func openFile(_ path: String) throws(ArchiveError) -> any TensorArchive {
    switch TensorContainer(path: path) {
    case .npy: return try NPYFile(path: path, isCompressed: false)
    case .compressedNPY: return try NPYFile(path: path, isCompressed: true)
    case .npz: return try NPZArchive(path: path)
    case .hdf5:
      #if HDF5
        return try HDF5Archive(path: path)
      #else
        throw withoutHDF5(path)
      #endif
    case nil: throw unknownEnding(path)
    }
  }

  static func unknownEnding(_ path: String) -> ArchiveError {
    let known = allCases.flatMap(\.extensions).joined(separator: ", ")
    return ArchiveError(
      path: path,
      .wrongFormat(expected: "a folder or a file ending in \(known)", found: "another name"))
  }

  static func withoutHDF5(_ path: String) -> ArchiveError {
    ArchiveError(
      path: path,
      .unsupported(
        "HDF5", expected: "a build with the package trait HDF5", found: "one without it"))
  }

  /// The text of the manifest at `path`, nil where there is none. Of a folder
  /// nothing else is opened: the manifest says which files are the folder's own.
  package static func manifest(
    of path: String, within boundary: FileBoundary? = nil
  ) throws(ArchiveError) -> String? {
    try PendingArchive(path, within: boundary).manifest()
  }
}
