import Synchronization

#if HDF5
  import CHDF5
#endif

/// Whoever wants to know when libhdf5 is at work, and on which file.
///
/// libhdf5 can crash, or never return, on a damaged file, and nothing that this process
/// does can prevent either. A guardian can let another process know what goes on here,
/// and can keep libhdf5 from a file that it was lost on before.
package protocol HDF5Guardian: Sendable {
  /// Called before libhdf5 works on the file at `path`, as whoever opens it names it.
  ///
  /// - Throws: `ArchiveError` where it must not.
  func willWork(on path: String) throws(ArchiveError)

  /// Called when libhdf5 has returned.
  func hasReturned()
}

/// libhdf5 as this process uses it: by one thread at a time, since not every build of it
/// is safe to call from two.
///
/// The library is linked into this process, and a file on which it crashes ends the
/// process. Nothing here changes that. A program that reads files which it can't trust
/// installs a guardian before the first of them, and decides what to do about it:
///
/// ```swift
/// HDF5Library.install(guardian)
/// let archive = try TensorContainer.open("untrusted.h5")  // the guardian is told
/// ```
package enum HDF5Library {
  /// Whoever holds the lock may call libhdf5, and tells the guardian.
  private static let lock = Mutex<(any HDF5Guardian)?>(nil)

  /// Makes `guardian` the only one that is told of what libhdf5 does from now on; nil for none.
  package static func install(_ guardian: (any HDF5Guardian)?) {
    lock.withLock { $0 = guardian }
  }

  #if HDF5
    /// Runs `body`, which calls libhdf5 on the file at `path`, while no other thread
    /// does.
    ///
    /// - Throws: what `body` throws. Where the guardian throws, its error, and `body` is not run.
    static func working<Result: Sendable>(
      on path: String, _ body: () throws(ArchiveError) -> Result
    ) throws(ArchiveError) -> Result {
      try lock.withLock { guardian throws(ArchiveError) in
        try guardian?.willWork(on: path)
        defer { guardian?.hasReturned() }
        // The reader says what is wrong; libhdf5's own printing is one switch a thread.
        H5Eset_auto2(parity_H5E_DEFAULT(), nil, nil)
        return try body()
      }
    }
  #endif
}
