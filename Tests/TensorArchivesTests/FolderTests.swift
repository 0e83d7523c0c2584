import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

@Suite struct FolderTests {
  @Test func filesAreTensorsByTheirPaths() throws {
    let folder = try TemporaryFolder()
    try folder.write(try bytes(of: Sample.path("float32.npy")), to: "state_dict/weight.npy")
    try folder.write(try bytes(of: Sample.path("int64.npy")), to: "inputs/lengths.npy")
    try folder.write("{}", to: "manifest.json")
    try folder.write("for people", to: "README.md")
    try folder.write("hidden", to: ".DS_Store")
    let archive = try TensorContainer.open(folder.path)
    #expect(archive.tensorNames == ["inputs/lengths", "state_dict/weight"])
    #expect(
      try archive.tensor(named: "state_dict/weight").elements(as: Double.self) == Sample.eighths)
    #expect(try archive.manifest() == "{}")
  }

  @Test func otherContainersAddWhatTheyHold() throws {
    let folder = try TemporaryFolder()
    try folder.copy(Sample.path("deflated.npz"), as: "some.npz")
    try folder.write(try bytes(of: Sample.path("float64.npy")), to: "c.npy")
    let archive = try TensorContainer.open(folder.path)
    #expect(archive.tensorNames == ["a", "c", "folder/b", "n"])
    #expect(try archive.tensor(named: "folder/b").elements(as: Double.self) == Sample.eighths)
  }

  @Test func oneTensorInTwoFilesIsAContradiction() throws {
    let folder = try TemporaryFolder()
    try folder.copy(Sample.path("deflated.npz"), as: "some.npz")
    try folder.write(try bytes(of: Sample.path("float64.npy")), to: "a.npy")
    let error = Sample.error(folder.path)
    #expect(error?.member == "a")
    #expect(error?.path.hasSuffix("/some.npz") == true)
  }

  @Test func theErrorOfAMemberNamesItsFile() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("not NumPy's", to: "outputs/output.npy")
    #expect(Sample.error(folder.path)?.path == path)
  }

  @Test func anUnknownEndingIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("x", to: "model.bin")
    #expect(
      Sample.error(path)?.reason
        == .wrongFormat(
          expected: "a folder or a file ending in .npy, .npz, .h5, .hdf5", found: "another name"))
  }

  @Test func whatNeverEndsIsNotRead() {
    #expect(
      Sample.error("/dev/zero")?.reason == .unreadable("neither a file nor a folder"))
  }
}

@Suite struct CRC32Tests {
  /// The check value of CRC-32/ISO-HDLC.
  @Test func isTheStandardOne() {
    var checksum = CRC32()
    checksum.update("1234".utf8)
    checksum.update("56789".utf8)
    #expect(checksum.description == "cbf43926")
  }
}
