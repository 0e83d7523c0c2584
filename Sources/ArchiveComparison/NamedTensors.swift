package import TensorArchives

/// The tensors of an archive that take part in a comparison, by their names. The tensor of a
/// file that holds one without a name, as an `.npy` does, has the name of the file.
package struct NamedTensors: Sendable {
  package let archive: any TensorArchive
  package let names: [String]
  /// The names that tensors have in the archive, where these are others.
  private let namesInArchive: [String: String]

  /// - Parameter only: the name of the one tensor that takes part; nil for all.
  /// - Throws: `ArchiveError` where there is no such tensor.
  package init(_ archive: any TensorArchive, only: String? = nil) throws(ArchiveError) {
    self.archive = archive
    if let only {
      guard archive.tensorNames.contains(only) else {
        throw ArchiveError(
          path: archive.path, member: only, .noSuchMember(available: archive.tensorNames))
      }
      (names, namesInArchive) = ([only], [:])
    } else if archive.tensorNames == [""] {
      let stem = TensorContainer.stem(of: archive.path)
      (names, namesInArchive) = ([stem], [stem: ""])
    } else {
      (names, namesInArchive) = (archive.tensorNames, [:])
    }
  }

  /// Some tensors, by their names without a prefix: the parameters of one module in a checkpoint.
  ///
  /// - Parameter names: without the prefix.
  package init(_ archive: any TensorArchive, prefix: String, names: [String]) {
    self.archive = archive
    self.names = names
    namesInArchive = Dictionary(uniqueKeysWithValues: names.map { ($0, prefix + $0) })
  }

  /// - Throws: `ArchiveError` where there is no tensor of this name.
  func require(_ name: String) throws(ArchiveError) {
    guard names.contains(name) else {
      throw ArchiveError(path: archive.path, member: name, .noSuchMember(available: names))
    }
  }

  package func header(of name: String) throws(ArchiveError) -> TensorHeader {
    try archive.header(of: namesInArchive[name] ?? name)
  }

  func source(of name: String) throws(ArchiveError) -> any TensorSource {
    try archive.source(of: namesInArchive[name] ?? name)
  }
}
