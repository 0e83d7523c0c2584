import Platform
import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// Whole files: their bytes are the same whether they are read or mapped, and what goes
/// wrong is said in the system's words.
@Suite struct FileBytesTests {
  /// Small files are read and large ones mapped; both are the same bytes.
  @Test(arguments: [0, 1, 4095, 65_535, 65_536, 200_001])
  func readsFilesOfEverySize(size: Int) throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let path = try folder.write(bytes, to: "file")
    #expect(try Array(FileBytes.read(path)) == bytes)
  }

  @Test func aMappedTensorOutlivesItsArchive() throws {
    let folder = try TemporaryFolder()
    let count = 100_000
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(count),)}"
    let header = text + String(repeating: " ", count: 117 - text.utf8.count) + "\n"
    let data = (0..<count).flatMap { k in
      (0..<4).map { UInt8(Float(k).bitPattern >> (8 * $0) & 0xFF) }
    }
    let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8) + data
    let path = try folder.write(bytes, to: "large.npy")
    let tensor = try TensorContainer.open(path).tensor(named: "")
    #expect(tensor.double(at: count - 1) == Double(count - 1))
    #expect(tensor.elements(as: Float.self) == (0..<count).map { Float($0) })
  }

  /// A large array that stands as it is needed is looked at where it lies.
  @Test func anArrayIsNotCopied() throws {
    let folder = try TemporaryFolder()
    let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (20000,)}"
    let header = text + String(repeating: " ", count: 117 - text.utf8.count) + "\n"
    let zeros = [UInt8](repeating: 0, count: 160_000)
    let path = try folder.write(
      [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8) + zeros, to: "a.npy")
    let bytes = try FileBytes.read(path)
    let tensor = try NPY.decode(bytes)
    let start = bytes.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
    tensor.withUnsafeBytes { #expect(Int(bitPattern: $0.baseAddress) == start + 128) }
  }

  @Test func whatTheSystemMakesUpIsNotRead() throws {
    guard (try? FileBytes.kind(of: "/proc/self/pagemap")) == .file else { return }
    #expect(try FileBytes.read("/proc/self/pagemap").isEmpty)
  }

  @Test func aTildeIsAName() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("x", to: "~")
    #expect(try Array(FileBytes.read(path)) == [0x78])
    #expect(throws: ArchiveError.self) { try FileBytes.read("~") }
  }

  @Test func saysWhyAFileCannotBeRead() {
    func reason(_ path: String) -> ArchiveError.Reason? {
      do throws(ArchiveError) {
        _ = try FileBytes.read(path)
        return nil
      } catch {
        return error.reason
      }
    }
    #expect(reason("/nonexistent") == .unreadable("no such file or folder"))
    #expect(reason("/") == .wrongFormat(expected: "a file", found: "a folder"))
    #expect(reason("/dev/null/x") == .unreadable("not a directory"))
  }

  /// The system's reason, and not that of what was asked of it afterwards.
  @Test func saysWhyAFolderCannotBeListedOrMade() throws {
    let listing = #expect(throws: ArchiveError.self) { try FileBytes.names(in: "/dev/null") }
    #expect(listing?.reason == .unreadable("can't be listed (not a directory)"))
    let folder = try TemporaryFolder()
    let path = try folder.write("", to: "file") + "/folder"
    let making = #expect(throws: ArchiveError.self) { try TensorContainer.write([:], to: path) }
    #expect(making?.reason == .unwritable("can't be written (not a directory)"))
  }
}
