#if HDF5
  import CHDF5
  import Platform
  import SystemPackage
  import TensorCore

  /// Writes an HDF5 file: for each tensor a contiguous, little-endian dataset in the groups
  /// that its name says, and the attribute `manifest` of the root.
  ///
  /// The time of no object is written, and the version of the format is the oldest that
  /// holds all, so that the same tensors give the same bytes in every run.
  struct HDF5Writer: ~Copyable {
    private let file: HDF5Handle
    private let path: String
    /// The paths of the groups that are made.
    private var groups: Set<String> = []

    /// Writes all tensors, and the manifest where there is one.
    ///
    /// - Throws: `ArchiveError` where the file can't be written, there are more tensors than
    ///   are read again, or a tensor is named like a group.
    static func write(
      _ tensors: [String: Tensor], manifest: String?, to path: String
    ) throws(ArchiveError) {
      guard tensors.count <= HDF5Listing.largestCount else {
        throw ArchiveError(
          path: path,
          .unsupported(
            "tensors", expected: "at most \(HDF5Listing.largestCount)", found: "\(tensors.count)"))
      }
      let sibling = TemporarySibling(of: path)
      let temporaryPath = sibling.temporaryPath
      errno = 0
      try HDF5Library.working { () throws(ArchiveError) in
        var writer = try HDF5Writer(temporaryPath, for: path)
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
          try writer.add(tensor, named: name)
        }
        if let manifest { try writer.add(manifest: manifest) }
        guard H5Fflush(writer.file.id, H5F_SCOPE_LOCAL) >= 0 else {
          throw writer.error(nil, "the data")
        }
      }
      try sibling.commit()
    }

    /// - Parameters:
    ///   - temporaryPath: where the file is made.
    ///   - path: where it will be, for errors.
    private init(_ temporaryPath: String, for path: String) throws(ArchiveError) {
      guard
        let creation = Self.untimed(parity_H5P_FILE_CREATE()),
        let access = HDF5Handle(H5Pcreate(parity_H5P_FILE_ACCESS())),
        H5Pset_libver_bounds(access.id, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18) >= 0,
        let file = HDF5Handle(
          H5Fcreate(temporaryPath, parity_H5F_ACC_EXCL(), creation.id, access.id))
      else {
        throw ArchiveError(path: path, .unwritable("HDF5 can't create a file here"))
      }
      self.file = file
      self.path = path
    }

    /// The properties of a new object whose time is not written.
    private static func untimed(_ kind: hid_t) -> HDF5Handle? {
      guard let list = HDF5Handle(H5Pcreate(kind)),
        H5Pset_obj_track_times(list.id, false) >= 0
      else { return nil }
      return list
    }

    private mutating func add(_ tensor: Tensor, named name: String) throws(ArchiveError) {
      try addGroups(of: name)
      guard let type = HDF5Type.littleEndian(tensor.elementType),
        let space = Self.space(tensor.shape),
        let links = Self.links(),
        let creation = Self.untimed(parity_H5P_DATASET_CREATE()),
        H5Pset_layout(creation.id, H5D_CONTIGUOUS) >= 0,
        let dataset = HDF5Handle(
          H5Dcreate2(
            file.id, name, type.id, space.id, links.id, creation.id, parity_H5P_DEFAULT()))
      else { throw error(name, "a dataset of \(tensor.elementType) \(tensor.shape)") }
      guard tensor.count > 0 else { return }
      let id = dataset.id
      let status = tensor.withUnsafeBytes { bytes in
        H5Dwrite(
          id, type.id, parity_H5S_ALL(), parity_H5S_ALL(), parity_H5P_DEFAULT(),
          bytes.baseAddress)
      }
      guard status >= 0 else { throw error(name, "the data") }
    }

    /// Makes the groups that a tensor's name says, where they are not there yet.
    private mutating func addGroups(of name: String) throws(ArchiveError) {
      let parts = name.split(separator: "/").dropLast()
      for count in parts.indices.map({ $0 + 1 }) {
        let group = parts.prefix(count).joined(separator: "/")
        guard groups.insert(group).inserted else { continue }
        guard H5Lexists(file.id, group, parity_H5P_DEFAULT()) == 0 else {
          throw ArchiveError(
            path: path, member: name,
            .unsupported("name", expected: "\(group) to be a group", found: "a tensor"))
        }
        guard let links = Self.links(), let creation = Self.untimed(parity_H5P_GROUP_CREATE())
        else { throw error(group, "a group") }
        let id = H5Gcreate2(file.id, group, links.id, creation.id, parity_H5P_DEFAULT())
        guard HDF5Handle(id) != nil else { throw error(group, "a group") }
      }
    }

    private func add(manifest: String) throws(ArchiveError) {
      guard !manifest.utf8.contains(0),
        let type = HDF5Handle(H5Tcopy(parity_H5T_C_S1())),
        H5Tset_size(type.id, parity_H5T_VARIABLE()) >= 0,
        H5Tset_cset(type.id, H5T_CSET_UTF8) >= 0,
        let space = Self.space([]),
        let attribute = HDF5Handle(
          H5Acreate2(
            file.id, "manifest", type.id, space.id, parity_H5P_DEFAULT(), parity_H5P_DEFAULT()))
      else { throw error("attribute manifest", "text") }
      let id = attribute.id
      let status = manifest.withCString { text in
        var text: UnsafePointer<CChar>? = text
        return H5Awrite(id, type.id, &text)
      }
      guard status >= 0 else { throw error("attribute manifest", "text") }
    }

    /// The properties of a link, whose name is UTF-8.
    private static func links() -> HDF5Handle? {
      guard let list = HDF5Handle(H5Pcreate(parity_H5P_LINK_CREATE())),
        H5Pset_char_encoding(list.id, H5T_CSET_UTF8) >= 0
      else { return nil }
      return list
    }

    /// The dataspace of a shape; nil where libhdf5 can't make it.
    private static func space(_ shape: Shape) -> HDF5Handle? {
      let sizes = shape.axes.map { hsize_t($0) }
      return HDF5Handle(
        sizes.isEmpty ? H5Screate(H5S_SCALAR) : H5Screate_simple(CInt(sizes.count), sizes, nil))
    }

    private func error(_ member: String?, _ what: String) -> ArchiveError {
      // libhdf5 leaves here what the system has refused.
      let cause = Errno(rawValue: errno)
      let causes: [Errno] = [.noSpace, .diskQuotaExceeded, .fileTooLarge, .ioError]
      let words = causes.contains(cause) ? " (\(systemWords(for: cause)))" : ""
      return ArchiveError(
        path: path, member: member, .unwritable("HDF5 can't write \(what)\(words)"))
    }
  }
#endif
