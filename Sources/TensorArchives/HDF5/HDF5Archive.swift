#if HDF5
  import CHDF5
  import TensorCore

  /// An HDF5 file as an archive: its datasets are the tensors, by their paths, and the
  /// attribute `manifest` of its root is the manifest.
  final class HDF5Archive: TensorArchive {
    let path: String
    let tensorNames: [String]
    private let file: HDF5File
    /// In bytes.
    private let fileSize: Int
    private let manifestText: String?

    /// Opens the file, and lists its datasets.
    ///
    /// - Throws: `ArchiveError` where it is no HDF5 file, is damaged or cut off, or holds
    ///   links, named types, or more than a fixture could.
    init(path: String) throws(ArchiveError) {
      self.path = path
      // HDF5 would wait on a pipe, and reports a folder as a damaged file.
      let bytes = try FileBytes.read(path)
      fileSize = bytes.count
      file = try HDF5File(path: path, start: bytes.prefix(8))
      tensorNames = try file.withID { id throws(ArchiveError) in
        try HDF5Listing.datasets(in: id, path: path)
      }
      manifestText = try file.withID { id throws(ArchiveError) in
        try HDF5Attribute.text(named: "manifest", of: id, path: path)
      }
    }

    func manifest() -> String? { manifestText }

    func header(of name: String) throws(ArchiveError) -> TensorHeader {
      try requireMember(name)
      let size = fileSize
      return try file.withID { id throws(ArchiveError) in
        try HDF5Dataset(named: name, in: id, path: path, fileSize: size).header()
      }
    }

    func source(of name: String) throws(ArchiveError) -> any TensorSource {
      try requireMember(name)
      return try HDF5Source(of: name, in: file, path: path, fileSize: fileSize)
    }

    func tensor(named name: String) throws(ArchiveError) -> Tensor {
      try requireMember(name)
      let size = fileSize
      return try file.withID { id throws(ArchiveError) in
        try HDF5Dataset(named: name, in: id, path: path, fileSize: size).read()
      }
    }
  }
#endif
