#if HDF5
  import CHDF5

  /// The names of all datasets of an HDF5 file.
  enum HDF5Listing {
    /// HDF5 allows a group to contain itself; no fixture nests this deep.
    private static let deepest = 8

    static func datasets(in file: hid_t, path: String) throws(ArchiveError) -> [String] {
      var names: [String] = []
      try collect(file, prefix: "", depth: 0, path: path, into: &names)
      return names.sorted()
    }

    private static func collect(
      _ group: hid_t, prefix: String, depth: Int, path: String, into names: inout [String]
    ) throws(ArchiveError) {
      guard depth < deepest else {
        throw ArchiveError(
          path: path, member: prefix,
          .unsupported("group", expected: "at most \(deepest) levels", found: "more"))
      }
      var information = H5G_info_t()
      guard H5Gget_info(group, &information) >= 0 else {
        throw damaged(prefix.isEmpty ? "/" : prefix, path: path)
      }
      for position in 0..<information.nlinks {
        let name = try linkName(at: position, of: group, prefix: prefix, path: path)
        let member = prefix + name
        let kind = parity_link_type(group, name)
        guard kind == H5L_TYPE_HARD else {
          throw ArchiveError(
            path: path, member: member,
            .unsupported(
              "link", expected: "a dataset or group of this file",
              found: kind == H5L_TYPE_EXTERNAL ? "a link to another file" : "a soft link"))
        }
        guard
          let object = HDF5Handle(
            H5Oopen(group, name, parity_H5P_DEFAULT()), closedBy: { H5Oclose($0) })
        else { throw damaged(member, path: path) }
        switch H5Iget_type(object.id) {
        case H5I_DATASET:
          names.append(member)
        case H5I_GROUP:
          try collect(
            object.id, prefix: member + "/", depth: depth + 1, path: path, into: &names)
        default:
          throw ArchiveError(
            path: path, member: member,
            .unsupported("object", expected: "a dataset or a group", found: "a named type"))
        }
      }
    }

    private static func linkName(
      at position: hsize_t, of group: hid_t, prefix: String, path: String
    ) throws(ArchiveError) -> String {
      func read(into buffer: UnsafeMutablePointer<CChar>?, capacity: Int) -> Int {
        H5Lget_name_by_idx(
          group, ".", H5_INDEX_NAME, H5_ITER_INC, position, buffer, capacity,
          parity_H5P_DEFAULT())
      }
      let length = read(into: nil, capacity: 0)
      guard length > 0 else { throw damaged(prefix + "link \(position)", path: path) }
      let bytes = [UInt8](unsafeUninitializedCapacity: length + 1) { buffer, initialized in
        buffer.withMemoryRebound(to: CChar.self) {
          initialized = max(0, read(into: $0.baseAddress, capacity: length + 1))
        }
      }
      return String(decoding: bytes, as: UTF8.self)
    }

    static func damaged(_ member: String, path: String) -> ArchiveError {
      ArchiveError(
        path: path, member: member,
        .corrupt("object", expected: "a sound HDF5 object", found: "a damaged one"))
    }
  }
#endif
