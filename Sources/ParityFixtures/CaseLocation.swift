package import TensorArchives

/// Where a case stands. That there is a file says nothing of what is in it: the case is not
/// loaded yet.
package struct CaseLocation: Sendable, Hashable {
  /// The name that reports give the case: its path below the folder that the user named,
  /// without the file's ending.
  package let name: String
  /// The path of the file or folder.
  package let path: String
  /// The folders that the case's files must lie in, once links are followed; nil for anywhere.
  package let boundary: FileBoundary?

  package init(name: String, path: String, boundary: FileBoundary? = nil) {
    self.name = name
    self.path = path
    self.boundary = boundary
  }
}
