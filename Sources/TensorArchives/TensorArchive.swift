package import TensorCore

/// A file, or a folder of files, that holds named tensors and perhaps a manifest.
package protocol TensorArchive: Sendable {
  /// The path as the user gave it.
  var path: String { get }

  /// The names of all tensors, sorted, with `/` between a group and its member.
  var tensorNames: [String] { get }

  /// Files of a folder that hold no tensor that can be read: their paths, sorted.
  var otherFiles: [String] { get }

  /// The text of the manifest that the archive carries; nil where it has none.
  func manifest() throws(ArchiveError) -> String?

  /// Reads one tensor. O(its bytes).
  func tensor(named name: String) throws(ArchiveError) -> Tensor

  /// The element type and shape of one tensor, without its data.
  func header(of name: String) throws(ArchiveError) -> TensorHeader

  /// One tensor, to be read in parts; one that stands in another order or packed
  /// is read here, whole.
  func source(of name: String) throws(ArchiveError) -> any TensorSource
}

extension TensorArchive {
  package var otherFiles: [String] { [] }

  func requireMember(_ name: String) throws(ArchiveError) {
    guard tensorNames.contains(name) else {
      throw ArchiveError(path: path, member: name, .noSuchMember(available: tensorNames))
    }
  }
}
