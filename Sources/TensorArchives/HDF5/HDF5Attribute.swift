#if HDF5
  import CHDF5

  /// Reads the attributes of an HDF5 file's root that hold text.
  enum HDF5Attribute {
    /// The most bytes of a text of fixed length that are read. libhdf5 itself writes no more
    /// than 64 KiB, unless it is asked for dense storage; no manifest comes near this.
    private static let longest = 16 << 20

    /// The text of an attribute; nil where there is none of this name.
    ///
    /// - Throws: `ArchiveError` where it is not one string, or no UTF-8, or damaged.
    static func text(
      named name: String, of object: hid_t, path: String
    ) throws(ArchiveError) -> String? {
      guard H5Aexists(object, name) > 0 else { return nil }
      let member = "attribute " + name
      guard
        let attribute = HDF5Handle(H5Aopen(object, name, parity_H5P_DEFAULT())),
        let type = HDF5Handle(H5Aget_type(attribute.id)),
        let space = HDF5Handle(H5Aget_space(attribute.id))
      else { throw HDF5Listing.damaged(member, path: path) }
      guard H5Tget_class(type.id) == H5T_STRING, H5Sget_simple_extent_npoints(space.id) == 1 else {
        throw ArchiveError(
          path: path, member: member,
          .unsupported("attribute", expected: "one string", found: "another type"))
      }
      let bytes =
        H5Tis_variable_str(type.id) > 0
        ? variable(attribute.id, type.id, space.id) : fixed(attribute.id, type.id)
      guard let bytes else { throw HDF5Listing.damaged(member, path: path) }
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw ArchiveError(
          path: path, member: member,
          .corrupt("attribute", expected: "UTF-8", found: "other bytes"))
      }
      return text
    }

    /// A string of any length, as h5py writes them; nil where libhdf5 can't read it.
    private static func variable(_ attribute: hid_t, _ type: hid_t, _ space: hid_t) -> [UInt8]? {
      var text: UnsafeMutablePointer<CChar>?
      guard H5Aread(attribute, type, &text) >= 0 else { return nil }
      guard let text else { return [] }
      defer { H5free_memory(text) }
      var bytes: [UInt8] = []
      while text[bytes.count] != 0 { bytes.append(UInt8(bitPattern: text[bytes.count])) }
      return bytes
    }

    /// A string of a length that its type states; nil where libhdf5 can't read it.
    private static func fixed(_ attribute: hid_t, _ type: hid_t) -> [UInt8]? {
      let size = H5Tget_size(type)
      guard size > 0, size <= longest else { return nil }
      var bytes = [UInt8](repeating: 0, count: size)
      guard H5Aread(attribute, type, &bytes) >= 0 else { return nil }
      // Shorter text is padded with NUL or, in Fortran's way, with spaces.
      while let last = bytes.last, last == 0 || last == 0x20 { bytes.removeLast() }
      return bytes
    }
  }
#endif
