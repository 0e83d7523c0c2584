#if HDF5
  import CHDF5
  import Platform

  /// Reads the attributes of an HDF5 file's root that hold text.
  enum HDF5Attribute {
    /// The text of an attribute; nil where there is none of this name.
    ///
    /// - Throws: `ArchiveError` where it is not one string, or no UTF-8, or damaged.
    static func text(
      named name: String, of object: hid_t, path: String
    ) throws(ArchiveError) -> String? {
      guard H5Aexists(object, name) > 0 else { return nil }
      return try ArchiveError.locating(path, member: "attribute " + name) {
        () throws(ArchiveError.Reason) in
        try text(of: HDF5Handle(of: H5Aopen(object, name, parity_H5P_DEFAULT())))
      }
    }

    private static func text(
      of attribute: consuming HDF5Handle
    ) throws(ArchiveError.Reason) -> String {
      let type = try HDF5Handle(of: H5Aget_type(attribute.id))
      let space = try HDF5Handle(of: H5Aget_space(attribute.id))
      guard H5Tget_class(type.id) == H5T_STRING, H5Sget_simple_extent_npoints(space.id) == 1 else {
        throw .unsupported("attribute", expected: "one string", found: "another type")
      }
      let bytes =
        H5Tis_variable_str(type.id) > 0
        ? variable(attribute.id, H5Tget_cset(type.id)) : fixed(attribute.id, type.id)
      guard let bytes else { throw .damagedObject }
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw .corrupt("attribute", expected: "UTF-8", found: "other bytes")
      }
      return text
    }

    /// A string of any length, as h5py writes them; nil where libhdf5 can't read it. It is read as
    /// a type of this code's own, since a damaged one may state characters of any size.
    private static func variable(_ attribute: hid_t, _ characters: H5T_cset_t) -> [UInt8]? {
      var text: UnsafeMutablePointer<CChar>?
      guard let type = HDF5Handle(H5Tcopy(parity_H5T_C_S1())),
        H5Tset_size(type.id, parity_H5T_VARIABLE()) >= 0, H5Tset_cset(type.id, characters) >= 0,
        H5Aread(attribute, type.id, &text) >= 0
      else { return nil }
      guard let text else { return [] }
      defer { H5free_memory(text) }
      return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }

    /// A string of a length that its type states; nil where libhdf5 can't read it.
    private static func fixed(_ attribute: hid_t, _ type: hid_t) -> [UInt8]? {
      let size = H5Tget_size(type)
      guard size > 0, size <= largestManifest else { return nil }
      var bytes = [UInt8](repeating: 0, count: size)
      guard H5Aread(attribute, type, &bytes) >= 0 else { return nil }
      // Shorter text is padded with NUL or, in Fortran's way, with spaces.
      while let last = bytes.last, last == 0 || last == 0x20 { bytes.removeLast() }
      return bytes
    }
  }
#endif
