#if HDF5
  import Synchronization
  import TestSupport
  import Testing

  @testable import TensorArchives

  /// Others read HDF5 files at the same time, of which the guardian is told too: it
  /// looks at one folder alone.
  @Suite struct HDF5LibraryTests {
    private final class Guardian: HDF5Guardian {
      let folder: String
      let told = Mutex<[String]>([])
      /// The path that libhdf5 works on.
      private let current = Mutex("")

      init(folder: String) { self.folder = folder }

      func willWork(on path: String) throws(ArchiveError) {
        guard path.hasPrefix(folder) else { return }
        if path.hasSuffix("/lost.h5") { throw ArchiveError(path: path, .unreadable("lost")) }
        current.withLock { $0 = path }
        told.withLock { $0.append("works") }
      }

      func hasReturned() {
        guard
          current.withLock({ path in
            defer { path = "" }; return !path.isEmpty
          })
        else { return }
        told.withLock { $0.append("returned") }
      }
    }

    @Test func aGuardianIsToldOfEachWorkAndCanForbidIt() throws {
      let folder = try TemporaryFolder()
      let guardian = Guardian(folder: folder.path)
      HDF5Library.install(guardian)
      defer { HDF5Library.install(nil) }
      for name in ["good", "lost"] {
        try folder.copy(Sample.path("contiguous.h5"), as: name + ".h5")
      }
      #expect(try !Sample.readAll(folder.path + "/good.h5").isEmpty)
      let told = guardian.told.withLock(\.self)
      // At least to open the file, to list it, to read it, and to close it.
      #expect(told.count >= 8 && told.count.isMultiple(of: 2))
      for (number, word) in told.enumerated() {
        #expect(word == (number.isMultiple(of: 2) ? "works" : "returned"))
      }
      let lost = folder.path + "/lost.h5"
      #expect(Sample.error(lost) == ArchiveError(path: lost, .unreadable("lost")))
      let writing = #expect(throws: ArchiveError.self) {
        try TensorContainer.write([:], to: lost)
      }
      #expect(writing?.reason == .unreadable("lost"))
      #expect(guardian.told.withLock(\.count) == told.count)
    }
  }
#endif
