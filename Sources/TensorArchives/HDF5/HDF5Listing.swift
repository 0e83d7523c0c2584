#if HDF5
  import CHDF5

  /// Finds all datasets of an HDF5 file.
  struct HDF5Listing {
    private let path: String
    private var names: [String] = []
    /// Where the objects that were found stand in the file. HDF5 allows a group to contain
    /// itself, and an object to have many names.
    private var addresses: Set<haddr_t> = []

    /// The most levels of groups that are looked into; no model in models has as many.
    private static let largestDepth = 32
    /// The most objects that are listed; no checkpoint holds as many tensors.
    static let largestCount = 10_000

    /// The names of all datasets, sorted, with `/` between a group and its member.
    ///
    /// - Throws: `ArchiveError` for any other object than groups and datasets, for links,
    ///   for an object with two names, and where there are too many or too deep groups.
    static func datasets(in file: hid_t, path: String) throws(ArchiveError) -> [String] {
      var listing = HDF5Listing(path: path)
      try listing.collect(file, prefix: "", depth: 0)
      return listing.names.sorted()
    }

    private init(path: String) { self.path = path }

    /// Notes the datasets in a group and in the groups in it.
    private mutating func collect(
      _ group: hid_t, prefix: String, depth: Int
    ) throws(ArchiveError) {
      guard depth < Self.largestDepth else {
        throw error(
          prefix,
          .unsupported("group", expected: "at most \(Self.largestDepth) levels", found: "more"))
      }
      var information = H5G_info_t()
      let groupName = prefix.isEmpty ? "/" : prefix
      guard H5Gget_info(group, &information) >= 0 else { throw error(groupName, .damagedObject) }
      guard information.nlinks <= Self.largestCount, names.count <= Self.largestCount else {
        throw error(
          groupName,
          .unsupported("objects", expected: "at most \(Self.largestCount)", found: "more"))
      }
      for name in try linkNames(of: group, groupName) {
        let member = prefix + name
        let kind = parity_link_type(group, name)
        guard kind == H5L_TYPE_HARD else {
          throw error(
            member,
            .unsupported(
              "link", expected: "a dataset or group of this file",
              found: kind == H5L_TYPE_EXTERNAL ? "a link to another file" : "a soft link"))
        }
        guard let object = HDF5Handle(H5Oopen(group, name, parity_H5P_DEFAULT())) else {
          throw error(member, .damagedObject)
        }
        guard addresses.insert(parity_object_address(object.id)).inserted else {
          throw error(
            member, .unsupported("link", expected: "one name an object", found: "a second one"))
        }
        switch H5Iget_type(object.id) {
        case H5I_DATASET:
          names.append(member)
        case H5I_GROUP:
          try collect(object.id, prefix: member + "/", depth: depth + 1)
        default:
          throw error(
            member,
            .unsupported("object", expected: "a dataset or a group", found: "a named type"))
        }
      }
    }

    /// The names of a group's links, sorted by libhdf5, all in one call: a call for each by its
    /// place would go through them anew.
    private func linkNames(of group: hid_t, _ groupName: String) throws(ArchiveError) -> [String] {
      var names: [String] = []
      let result = withUnsafeMutablePointer(to: &names) { names in
        parity_links(
          group,
          { name, data in
            guard let name, let data else { return -1 }
            data.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
            return 0
          }, names)
      }
      guard result >= 0, !names.contains("") else { throw error(groupName, .damagedObject) }
      return names
    }

    private func error(_ member: String, _ reason: ArchiveError.Reason) -> ArchiveError {
      ArchiveError(path: path, member: member, reason)
    }
  }
#endif
