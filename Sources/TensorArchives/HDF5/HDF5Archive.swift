#if HDF5
  import TensorCore

  /// An HDF5 file as an archive: its datasets are the tensors, by their paths, and the
  /// attribute `manifest` of its root is the manifest.
  final class HDF5Archive: TensorArchive {
    let path: String
    let tensorNames: [String]
    let modelConfiguration: String?
    private let file: any HDF5Access
    private let manifestText: String?

    /// Opens the file, and lists its datasets.
    ///
    /// - Parameter part: the bytes of the file at `path` that are the HDF5 file; nil for all.
    /// - Throws: `ArchiveError` where it is no HDF5 file, is damaged or cut off, or holds
    ///   links, named types, or more than a fixture could.
    init(path: String, part: Range<Int>? = nil) throws(ArchiveError) {
      self.path = path
      file = try HDF5Library.open(path, part)
      let contents = try file.contents()
      (tensorNames, manifestText) = (contents.datasets, contents.manifest)
      modelConfiguration = contents.modelConfiguration
    }

    func manifest() -> String? { manifestText }

    func header(of name: String) throws(ArchiveError) -> TensorHeader {
      try source(of: name).header
    }

    func source(of name: String) throws(ArchiveError) -> any TensorSource {
      try requireMember(name)
      return try HDF5Source(of: name, in: file, path: path)
    }

    func tensor(named name: String) throws(ArchiveError) -> Tensor {
      let source = try source(of: name)
      let shape = source.header.shape
      return try source.block(0..<shape.elementCount).reshaped(shape)
    }
  }
#endif
