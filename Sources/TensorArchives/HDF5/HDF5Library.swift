import Synchronization

#if HDF5
  import CHDF5
#endif

/// libhdf5 as this process uses it: by one thread at a time, since not every build of it
/// is safe to call from two.
///
/// libhdf5 can crash on a damaged file, never return from it, or damage the memory of the process
/// that it is in. A program that reads files which it can't trust has them read by processes of
/// their own, readers:
///
/// ```swift
/// HDF5Library.useReaders(HDF5Readers(program: "/usr/bin/parity-check"))
/// let archive = try TensorContainer.open("untrusted.h5")  // libhdf5 is not called here
/// ```
///
/// Of 4,500 small files with a few damaged bytes, libhdf5 1.10.8 crashed on five and never
/// returned from three.
package enum HDF5Library {
  #if HDF5
    /// Whoever holds the lock may call libhdf5.
    private static let lock = Mutex<Void>(())
    private static let readers = Mutex<HDF5Readers?>(nil)

    /// Has all files that are opened from now on read by readers; by this process where `readers`
    /// is nil.
    package static func useReaders(_ readers: HDF5Readers?) {
      Self.readers.withLock { $0 = readers }
    }

    /// - Parameter part: the bytes of the file at `path` that are the HDF5 file; nil for all.
    /// - Throws: `ArchiveError` where libhdf5 is called here, and can't open the file.
    static func open(_ path: String, _ part: Range<Int>?) throws(ArchiveError) -> any HDF5Access {
      guard let readers = readers.withLock(\.self) else {
        return try HDF5File(path: path, part: part)
      }
      return HDF5ReadFile(path: path, part, readers)
    }

    /// Keeps libhdf5 from closing everything when the process ends: whatever is open is closed
    /// here, and a file that could not be written, on a full disk, would crash it then.
    private static let isLeftAtExit = H5dont_atexit() >= 0

    /// Runs `body`, which calls libhdf5, while no other thread does.
    ///
    /// - Throws: what `body` throws.
    static func working<Result: Sendable>(
      _ body: () throws(ArchiveError) -> Result
    ) throws(ArchiveError) -> Result {
      try lock.withLock { _ throws(ArchiveError) in
        _ = (Self.isLeftAtExit, LZF.isRegistered)
        // The reader says what is wrong; libhdf5's own printing is one switch a thread.
        H5Eset_auto2(parity_H5E_DEFAULT(), nil, nil)
        return try body()
      }
    }
  #endif
}
