#if HDF5
  import TensorCore
  import TestSupport
  import Testing

  @testable import TensorArchives

  /// HDF5 files that h5py wrote: every type and storage that is read, and that a hostile file
  /// is an error before anything is allocated.
  @Suite struct HDF5Tests {
    @Test(arguments: ["contiguous.h5", "chunked.h5", "gzip-shuffle.h5", "fixed-string.h5"])
    func readsEveryStorage(name: String) throws {
      let archive = try Sample.open(name)
      #expect(archive.tensorNames == ["a", "folder/b", "n"])
      let a = try archive.tensor(named: "a")
      #expect(a.elementType == .float32 && a.shape == Sample.shape)
      #expect(a.elements(as: Double.self) == Sample.eighths)
      #expect(try archive.tensor(named: "folder/b").elementType == .float64)
      #expect(try archive.tensor(named: "n").integers == Sample.integers)
      #expect(try archive.manifest() == Sample.manifest)
    }

    @Test(
      arguments: [
        ("float16", .float16), ("big-endian-float16", .float16), ("bfloat16", .bfloat16),
        ("big-endian", .float32),
      ] as [(String, ElementType)])
    func readsEveryFloat(name: String, type: ElementType) throws {
      let tensor = try Sample.open(name + ".h5").tensor(named: "a")
      #expect(tensor.elementType == type)
      #expect(tensor.elements(as: Double.self) == Sample.eighths)
    }

    @Test(arguments: [("int32", .int32), ("big-endian-int64", .int64)] as [(String, ElementType)])
    func readsEveryInteger(name: String, type: ElementType) throws {
      let tensor = try Sample.open(name + ".h5").tensor(named: "a")
      #expect(tensor.elementType == type)
      #expect(tensor.integers == Sample.integers)
    }

    @Test func readsScalarAndEmptyDatasets() throws {
      let scalar = try Sample.open("scalar.h5").tensor(named: "a")
      #expect(scalar.shape == [] && scalar.elements(as: Double.self) == [2.5])
      #expect(try Sample.open("empty.h5").tensor(named: "a").shape == [0, 3])
      #expect(try Sample.open("null.h5").tensor(named: "a").shape == [0])
    }

    @Test(arguments: [
      ("text.h5", "a", "text"),
      ("compound.h5", "a", "a compound type"), ("external.h5", "a", "in other files"),
      ("soft-link.h5", "b", "a soft link"), ("external-link.h5", "a", "a link to another file"),
      ("number-manifest.h5", "attribute manifest", "another type"),
      ("cycle.h5", "g/again", "a second one"), ("hard-link.h5", "b", "a second one"),
      ("partly-written.h5", "a", "1"),
      (
        "unknown-filter.h5", "a",
        "number 32999, xyz; save it again with gzip or uncompressed "
          + #"(h5py: compression="gzip" or none)"#
      ),
      ("unallocated.h5", "a", "0 bytes in the file"),
    ])
    func refusesWhatItCannotRead(name: String, member: String?, found: String) throws {
      let error = try #require(Sample.error(Sample.path(name)))
      if let member { #expect(error.member == member) }
      #expect("\(error)".hasSuffix("found " + found))
    }

    /// A file that is cut off never crashes the library, and is an error but
    /// where only what nobody reads is missing.
    @Test(arguments: ["contiguous.h5", "gzip-shuffle.h5"])
    func truncationIsAnErrorOrHarmless(name: String) throws {
      let folder = try TemporaryFolder()
      let whole = try bytes(of: Sample.path(name))
      let sound = try Sample.readAll(Sample.path(name))
      var errors = 0
      for length in whole.indices {
        let path = try folder.write(whole.prefix(length), to: "cut.h5")
        guard let read = try? Sample.readAll(path) else {
          errors += 1
          continue
        }
        #expect(
          read["a"]?.elements(as: Double.self) == sound["a"]?.elements(as: Double.self),
          "cut to \(length) bytes")
      }
      #expect(errors > 1000)
    }

    /// The size of the data stands in the dataspace and again in the layout; both
    /// can claim what the file does not have.
    @Test func claimingGigabytesAllocatesNothing() throws {
      let folder = try TemporaryFolder()
      let whole = try bytes(of: Sample.path("int32.h5"))
      func replacing(_ bytes: [UInt8], _ old: UInt64, _ new: UInt64) -> [UInt8] {
        func field(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(value >> (8 * $0) & 0xFF) } }
        var bytes = bytes
        // Before byte 800 the same numbers are addresses.
        for start in 800..<bytes.count - 8 where bytes[start...].starts(with: field(old)) {
          bytes.replaceSubrange(start..<start + 8, with: field(new))
        }
        return bytes
      }
      let claiming = replacing(replacing(whole, 24, 1 << 38), 96, 1 << 40)
      #expect(claiming != whole)
      let error = Sample.error(try folder.write(claiming, to: "claim.h5"))
      #expect(error?.member == "a")
      guard case .corrupt = error?.reason else {
        Issue.record("\(String(describing: error))")
        return
      }
    }

    @Test func saysWhatIsNotAnHDF5File() throws {
      let folder = try TemporaryFolder()
      let error = Sample.error(try folder.write("PK is no HDF5", to: "a.h5"))
      #expect(error?.reason == .wrongFormat(expected: "an HDF5 file", found: "\"PK is no\""))
      try folder.write("", to: "folder.h5/inside")
      #expect(Sample.error(folder.path + "/none.h5") != nil)
    }

    @Test func readsFromManyThreadsAtOnce() async throws {
      let sums = try await withThrowingTaskGroup(of: Double.self) { group in
        for _ in 0..<64 {
          group.addTask {
            let tensors = try Sample.readAll(Sample.path("gzip-shuffle.h5"))
            return tensors["a"]?.elements(as: Double.self).reduce(0, +) ?? .nan
          }
        }
        return try await group.reduce(into: Set<Double>()) { $0.insert($1) }
      }
      #expect(sums == [Sample.eighths.reduce(0, +)])
    }
  }
#endif
