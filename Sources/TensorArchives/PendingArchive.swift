/// A file or folder of which the manifest is read first, and the tensors then.
///
/// The manifest of a folder can say that some of the files in it belong to others. They
/// must not be opened with the rest:
///
/// ```swift
/// let pending = try PendingArchive("my-case")
/// let manifest = try pending.manifest()
/// let archive = try pending.archive(excluding: ["/checkpoints/model.npz"])
/// ```
///
/// Where the manifest is of no interest, `TensorContainer.open` is shorter.
package struct PendingArchive: Sendable {
  private let path: String
  private let boundary: FileBoundary?
  /// The archive, where it is a file: to read the manifest is to open it.
  private let file: (any TensorArchive)?

  /// - Parameters:
  ///   - boundary: the folders that a folder's files must lie in; nil for anywhere.
  /// - Throws: `ArchiveError` where nothing is at `path`, and for a file of which the
  ///   ending is unknown, or that is not what its ending promises.
  package init(_ path: String, within boundary: FileBoundary? = nil) throws(ArchiveError) {
    self.path = path
    self.boundary = boundary
    file = try FileBytes.kind(of: path) == .folder ? nil : TensorContainer.openFile(path)
  }

  package var isFolder: Bool { file == nil }

  /// The text of the manifest; nil where there is none.
  package func manifest() throws(ArchiveError) -> String? {
    guard let file else { return try FolderArchive.manifest(in: path, within: boundary) }
    return try file.manifest()
  }

  /// The archive with all of its tensors. Their elements are not read yet.
  ///
  /// - Parameters:
  ///   - excludedFiles: files of a folder that are no part of it, by their paths from the
  ///     root, without symbolic links (`FileBoundary.resolved`).
  ///   - namingFiles: whether the names of the tensors that a folder's files hold start
  ///     with the file's, as in `gru/outputs/h_n`, unless they lie in a folder with a
  ///     manifest. This is for folders of many cases.
  /// - Throws: `ArchiveError` where a file of a folder can't be opened, lies outside of
  ///   the boundary, or holds a tensor that another one holds too.
  package func archive(
    excluding excludedFiles: Set<String> = [], namingFiles: Bool = false
  ) throws(ArchiveError) -> any TensorArchive {
    if let file { return file }
    return try FolderArchive(
      path: path, within: boundary, excluding: excludedFiles, namingFiles: namingFiles)
  }
}
