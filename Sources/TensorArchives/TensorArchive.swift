package import TensorCore

/// An open file, or folder of files, that holds named tensors and perhaps a manifest.
///
/// Which tensors there are is known when it is open; their elements are read one tensor
/// at a time, or in parts of one:
///
/// ```swift
/// let archive: any TensorArchive = try TensorContainer.open("gru.npz")
/// for name in archive.tensorNames {
///   let tensor = try archive.tensor(named: name)  // all of it
///   let start = try archive.source(of: name).block(0..<10)  // ten elements of it
/// }
/// ```
///
/// An archive is for reading; `TensorContainer.write` makes one. It may be used by any
/// number of threads at a time.
package protocol TensorArchive: Sendable {
  /// The path of the file or folder, as it was given.
  var path: String { get }

  /// The names of all tensors, sorted, with `/` between a group and its member.
  var tensorNames: [String] { get }

  /// The paths of those files of a folder that are of no known container, sorted.
  /// Nothing else says that they were not read.
  var otherFiles: [String] { get }

  /// The text in which a framework describes the model whose weights these are; nil where the
  /// archive has none, or of a kind that is not known.
  var modelConfiguration: String? { get }

  /// The text of the manifest; nil where the archive has none.
  ///
  /// - Throws: `ArchiveError` where the manifest can't be read, or is no text.
  func manifest() throws(ArchiveError) -> String?

  /// Reads one tensor.
  ///
  /// - Throws: `ArchiveError` where there is no tensor of this name, or the file
  ///   contradicts itself, or it is of a kind that is not read.
  /// - Complexity: O(bytes of the tensor) in time and memory.
  func tensor(named name: String) throws(ArchiveError) -> Tensor

  /// The element type and the shape of one tensor, without its elements.
  ///
  /// - Throws: `ArchiveError` as `tensor(named:)`; a wrong checksum is not seen.
  func header(of name: String) throws(ArchiveError) -> TensorHeader

  /// One tensor, of which any part can be read by itself. A tensor that stands in the
  /// file in another order, or packed as one piece, is read as a whole by this call.
  ///
  /// - Throws: `ArchiveError` as `tensor(named:)`.
  func source(of name: String) throws(ArchiveError) -> any TensorSource
}

extension TensorArchive {
  package var otherFiles: [String] { [] }
  package var modelConfiguration: String? { nil }

  /// - Throws: `ArchiveError` where there is no tensor of this name.
  func requireMember(_ name: String) throws(ArchiveError) {
    guard tensorNames.contains(name) else {
      throw ArchiveError(path: path, member: name, .noSuchMember(available: tensorNames))
    }
  }
}
