import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// Folders as archives: which files are their tensors, and that nothing leads out of them.
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
    let path = try folder.write("x", to: "model.txt")
    #expect(
      Sample.error(path)?.reason
        == .wrongFormat(
          expected:
            "a folder or a file ending in .npy, .npy.gz, .raw, .f16, .bf16, .f32, .f64, .npz, "
            + ".h5, .hdf5, .safetensors, .pt, .pth, .ckpt, .jit, .bin, .gguf, .onnx, .keras",
          found: "another name"))
  }

  @Test func aFolderInACircleEnds() throws {
    let folder = try TemporaryFolder()
    try folder.write("{}", to: "inside/manifest.json")
    for name in ["a", "b", "c", "d"] { try folder.link("inside/" + name, to: folder.path) }
    #expect(
      "\(try #require(Sample.error(folder.path)))".hasSuffix("found a link to one met before"))
  }

  @Test func aLinkOutOfTheFolderIsRefused() throws {
    let (folder, outside) = (try TemporaryFolder(), try TemporaryFolder())
    let target = try outside.copy(Sample.path("float32.npy"), as: "secret.npy")
    try folder.write("{}", to: "manifest.json")
    try folder.link("output.npy", to: target)
    func error(_ roots: String...) -> ArchiveError? {
      do throws(ArchiveError) {
        _ = try TensorContainer.open(folder.path, within: FileBoundary(roots))
        return nil
      } catch {
        return error
      }
    }
    #expect(error(folder.path)?.path == folder.path + "/output.npy")
    let folders = [FileBoundary.resolved(folder.path)].compactMap(\.self)
    let resolved = try #require(FileBoundary.resolved(target))
    #expect(
      error(folder.path)?.reason == .outside(folders: folders, target: resolved, remedy: nil))
    // An option's name would be of no use to who has no command line.
    #expect(try !"\(#require(error(folder.path)))".contains("--"))
    #expect(error(folder.path, outside.path) == nil)
    // A name that only starts like the folder's is outside too.
    #expect(error(folder.path, String(outside.path.dropLast())) != nil)
  }

  @Test func aManifestThatLeadsOutIsRefused() throws {
    let (folder, outside) = (try TemporaryFolder(), try TemporaryFolder())
    let target = try outside.write("{}", to: "manifest.json")
    try folder.link("manifest.json", to: target)
    #expect(throws: ArchiveError.self) {
      try PendingArchive(folder.path, within: FileBoundary([folder.path])).manifest()
    }
    #expect(try PendingArchive(folder.path).manifest() == "{}")
  }

  @Test func aGitLFSPointerIsRecognised() throws {
    let folder = try TemporaryFolder()
    let pointer = """
      version https://git-lfs.github.com/spec/v1
      oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
      size 12345

      """
    var names = ["a.npy", "a.npy.gz", "a.npz"]
    #if HDF5
      names.append("a.h5")
    #endif
    for name in names {
      let error = Sample.error(try folder.write(pointer, to: name))
      #expect("\(try #require(error))".hasSuffix("run git lfs pull"), "\(name)")
    }
  }

  @Test func whatNeverEndsIsNotRead() {
    #expect(
      Sample.error("/dev/zero")?.reason == .unreadable("neither a file nor a folder"))
  }
}

/// The checksum is the one that others compute.
@Suite struct CRC32Tests {
  /// The check value of CRC-32/ISO-HDLC.
  @Test func isTheStandardOne() {
    var checksum = CRC32()
    checksum.update("1234".utf8)
    checksum.update("56789".utf8)
    #expect(checksum.description == "cbf43926")
  }
}
