#if HDF5
  import CHDF5

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  /// An open HDF5 file, closed once, with its last reference.
  final class HDF5File: Sendable {
    private let id: hid_t
    private let path: String

    /// - Parameter start: the first bytes of the file, for the error message.
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

    /// Runs `body` on the open file while no other thread calls the library.
    func withID<Result: Sendable>(
      _ body: (hid_t) throws(ArchiveError) -> Result
    ) throws(ArchiveError) -> Result {
      try HDF5Library.working(on: path) { () throws(ArchiveError) in try body(id) }
    }
  }

  /// One of HDF5's identifiers, closed once.
  ///
  /// Lives inside `HDF5File.withID` only, under the library's lock.
  struct HDF5Handle: ~Copyable {
    let id: hid_t
    private let close: (hid_t) -> herr_t

    /// nil where the library gave no identifier.
    init?(_ id: hid_t, closedBy close: @escaping (hid_t) -> herr_t) {
      guard id >= 0 else { return nil }
      self.id = id
      self.close = close
    }

    deinit { _ = close(id) }
  }
#endif
