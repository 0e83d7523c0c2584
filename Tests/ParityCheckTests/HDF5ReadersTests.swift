#if HDF5
  import Platform
  import TensorCore
  import TestSupport
  import Testing

  @testable import TensorArchives

  /// A reader answers what libhdf5 in this process does, and its end is an error of the file.
  @Suite struct HDF5ReadersTests {
    private let readers = HDF5Readers(program: Tool.executable.path)

    @Test(arguments: ["contiguous.h5", "chunked.h5", "gzip-shuffle.h5", "big-endian.h5"])
    func aReaderReadsTheSame(sample: String) throws {
      let path = Repository.samples + "/" + sample
      let (own, other) = (try HDF5File(path: path), HDF5ReadFile(path: path, nil, readers))
      let contents = try own.contents()
      #expect(try other.contents().datasets == contents.datasets)
      for name in contents.datasets {
        let layout = try own.layout(of: name)
        #expect(try other.layout(of: name).axes == layout.axes)
        let header = try #require(layout.header)
        func read(_ file: any HDF5Access) throws -> [UInt8] {
          var bytes = [UInt8](repeating: 0, count: header.byteCount)
          try bytes.withUnsafeMutableBytes {
            try file.read(0..<header.shape.elementCount, of: name, layout, into: $0)
          }
          return bytes
        }
        #expect(try read(other) == read(own))
      }
    }

    @Test func whatIsWrongWithAFileIsSaidAsEver() {
      let path = Repository.root + "/README.md"
      let own = #expect(throws: ArchiveError.self) { try HDF5File(path: path).contents() }
      let other = #expect(throws: ArchiveError.self) {
        try HDF5ReadFile(path: path, nil, readers).contents()
      }
      #expect(own == other && own != nil)
    }

    @Test(arguments: [
      ("/bin/true", "the process that reads HDF5 has ended"),
      ("/nowhere", "can't start the process that reads HDF5: No such file or directory"),
    ])
    func aReaderThatIsNoneIsAnError(program: String, told: String) {
      let path = Repository.samples + "/contiguous.h5"
      let error = #expect(throws: ArchiveError.self) {
        try HDF5ReadFile(path: path, nil, HDF5Readers(program: program)).contents()
      }
      #expect(error == ArchiveError(path: path, .unreadable(told)))
    }
  }
#endif
