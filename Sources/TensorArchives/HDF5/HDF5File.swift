#if HDF5
  import CHDF5
  import Platform

  /// An open HDF5 file, which is closed with the last reference to it.
  final class HDF5File: Sendable {
    private let id: hid_t
    private let path: String

    /// - Parameter start: the first bytes of the file, which tell a damaged file from one of
    ///   another format.
    /// - Throws: `ArchiveError` where libhdf5 can't open the file.
    init(path: String, start: Data) throws(ArchiveError) {
      self.path = path
      id = try HDF5Library.working(on: path) {
        H5Fopen(path, parity_H5F_ACC_RDONLY(), parity_H5P_DEFAULT())
      }
      guard id >= 0 else {
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        throw ArchiveError(
          path: path,
          start.elementsEqual(signature)
            ? .corrupt("HDF5 file", expected: "a whole one", found: "a damaged or cut off one")
            : .wrongFormat(expected: "an HDF5 file", found: start.printablePrefix))
      }
    }

    deinit {
      try? HDF5Library.working(on: path) { _ = H5Fclose(id) }
    }

    /// Runs `body` with libhdf5's identifier of the file, while no other thread calls
    /// libhdf5. Identifiers that `body` opens must not outlive it.
    ///
    /// - Throws: what `body` throws.
    func withID<Result: Sendable>(
      _ body: (hid_t) throws(ArchiveError) -> Result
    ) throws(ArchiveError) -> Result {
      try HDF5Library.working(on: path) { () throws(ArchiveError) in try body(id) }
    }
  }

  /// One of libhdf5's identifiers, of whatever kind, which is closed with the value. It is
  /// used inside of `HDF5File.withID` alone.
  struct HDF5Handle: ~Copyable {
    let id: hid_t

    /// Nil where libhdf5 gave no identifier, but an error.
    init?(_ id: hid_t) {
      guard id >= 0 else { return nil }
      self.id = id
    }

    // The only reference to it, so that whatever it is of is closed.
    deinit { H5Idec_ref(id) }
  }
#endif
