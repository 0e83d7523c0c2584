package import TensorArchives

/// A case that was found, not loaded yet.
package struct CaseLocation: Sendable, Hashable {
  /// The path below what the user named, without the file's ending.
  package let name: String
  package let path: String
  /// What its files must lie in; nil for anywhere.
  package let boundary: FileBoundary?

  package init(name: String, path: String, boundary: FileBoundary? = nil) {
    self.name = name
    self.path = path
    self.boundary = boundary
  }
}
