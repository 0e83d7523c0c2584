#if HDF5
  import CHDF5
  import Platform
  import Synchronization
  import TensorCore

  /// An HDF5 file that libhdf5 has open in this process. It is closed with the last reference to
  /// it.
  final class HDF5File: HDF5Access {
    private let id: hid_t
    private let path: String
    /// In bytes.
    private let size: Int

    /// - Parameter part: the bytes of the file at `path` that are the HDF5 file, which are held in
    ///   memory while it is open; nil for all.
    /// - Throws: `ArchiveError` where the file can't be read, or libhdf5 can't open it.
    init(path: String, part: Range<Int>? = nil) throws(ArchiveError) {
      self.path = path
      // HDF5 would wait on a pipe, and reports a folder as a damaged file.
      let file = try FileBytes.read(path)
      guard part.map({ $0.upperBound <= file.count }) ?? true else {
        throw ArchiveError(path: path, .unreadable("it was cut off while it was read"))
      }
      let bytes = part.map {
        file[file.startIndex + $0.lowerBound..<file.startIndex + $0.upperBound]
      }
      size = bytes?.count ?? file.count
      id = try HDF5Library.working {
        guard let bytes else {
          return H5Fopen(path, parity_H5F_ACC_RDONLY(), parity_H5P_DEFAULT())
        }
        return Self.open(image: bytes, path: path)
      }
      guard id >= 0 else {
        let bytes = bytes ?? file
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        throw ArchiveError(
          path: path,
          bytes.starts(with: signature)
            ? .corrupt("HDF5 file", expected: "a whole one", found: "a damaged or cut off one")
            : .wrongFormat(expected: "an HDF5 file", found: bytes.printablePrefix))
      }
    }

    /// Opens an HDF5 file that stands in memory; libhdf5 makes a copy of it. A number less than 0
    /// where it can't.
    private static func open(image: Data, path: String) -> hid_t {
      guard let access = HDF5Handle(H5Pcreate(parity_H5P_FILE_ACCESS())),
        H5Pset_fapl_core(access.id, 1 << 16, false) >= 0
      else { return -1 }
      let isSet = image.withUnsafeBytes {
        // libhdf5 does not write to it.
        H5Pset_file_image(access.id, UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count)
      }
      // A name that no file has, and no other image.
      let number = imageCount.add(1, ordering: .relaxed).newValue
      return isSet < 0 ? -1 : H5Fopen("\(path)/\(number)", parity_H5F_ACC_RDONLY(), access.id)
    }

    private static let imageCount = Atomic<Int>(0)

    deinit {
      try? HDF5Library.working { _ = H5Fclose(id) }
    }

    func contents() throws(ArchiveError) -> HDF5Contents {
      try withID { id throws(ArchiveError) in
        HDF5Contents(
          datasets: try HDF5Listing.datasets(in: id, path: path),
          manifest: try HDF5Attribute.text(named: "manifest", of: id, path: path),
          modelConfiguration: try? HDF5Attribute.text(named: "model_config", of: id, path: path))
      }
    }

    func layout(of name: String) throws(ArchiveError) -> HDF5Layout {
      try withDataset(name) { dataset throws(ArchiveError.Reason) in
        let header = try dataset.header()
        return HDF5Layout(header, grain: try dataset.grain(header.shape))
      }
    }

    /// HDF5 selects boxes, so that a range is read as the few boxes that it is made of.
    func read(
      _ range: Range<Int>, of name: String, _ layout: HDF5Layout,
      into buffer: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError) {
      try withDataset(name) { dataset throws(ArchiveError.Reason) in
        guard let header = layout.header else { throw .damagedObject }
        let width = header.elementType.byteCount
        for box in RowMajorBox.covering(range, of: header.shape) {
          let start = (box.offset - range.lowerBound) * width
          let size = box.sizes.reduce(1, *) * width
          try dataset.read(
            box, of: header.elementType,
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + size]))
        }
      }
    }

    /// Runs `body` with libhdf5's identifier of the file, while no other thread calls
    /// libhdf5. Identifiers that `body` opens must not outlive it.
    ///
    /// - Throws: what `body` throws.
    func withID<Result: Sendable>(
      _ body: (hid_t) throws(ArchiveError) -> Result
    ) throws(ArchiveError) -> Result {
      try HDF5Library.working { () throws(ArchiveError) in try body(id) }
    }

    /// Opens a dataset for `body`, as `withID`.
    ///
    /// - Throws: `ArchiveError` where libhdf5 can't open the dataset, and for what `body`
    ///   throws.
    func withDataset<Result: Sendable>(
      _ name: String, _ body: (borrowing HDF5Dataset) throws(ArchiveError.Reason) -> Result
    ) throws(ArchiveError) -> Result {
      try withID { id throws(ArchiveError) in
        try ArchiveError.locating(path, member: name) { () throws(ArchiveError.Reason) in
          try body(HDF5Dataset(named: name, in: id, fileSize: size))
        }
      }
    }
  }

  /// One of libhdf5's identifiers, of any kind of object. It is closed when the value ends, and
  /// used only inside of `HDF5Library.working`.
  struct HDF5Handle: ~Copyable {
    let id: hid_t

    /// Nil where libhdf5 gave no identifier, but an error.
    init?(_ id: hid_t) {
      guard id >= 0 else { return nil }
      self.id = id
    }

    /// - Throws: `ArchiveError.Reason` where libhdf5 gave no identifier, since the file is
    ///   damaged.
    init(of id: hid_t) throws(ArchiveError.Reason) {
      guard id >= 0 else { throw .damagedObject }
      self.id = id
    }

    // This is the only reference to the object, so that it is closed.
    deinit { H5Idec_ref(id) }
  }

  extension ArchiveError.Reason {
    /// libhdf5 can't make sense of an object.
    static var damagedObject: ArchiveError.Reason {
      .corrupt("object", expected: "a sound HDF5 object", found: "a damaged one")
    }
  }
#endif
