import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// Files that NumPy and Python's `zipfile` wrote: damage of any byte gives an error, and
/// never other numbers, and no file unpacks to more than its size allows.
@Suite struct NPZTests {
  @Test(arguments: ["stored.npz", "deflated.npz", "zip64.npz"])
  func readsStoredAndDeflatedMembers(name: String) throws {
    let archive = try Sample.open(name)
    #expect(archive.tensorNames == ["a", "folder/b", "n"])
    #expect(try archive.tensor(named: "a").elements(as: Double.self) == Sample.eighths)
    #expect(try archive.tensor(named: "folder/b").elementType == .float64)
    #expect(try archive.tensor(named: "n").integers == Sample.integers)
    #expect(
      try archive.manifest()?.filter { !$0.isWhitespace } == Sample.manifest.filter { $0 != " " })
  }

  @Test(arguments: ["savez.npz", "savez-compressed.npz"])
  func readsWhatNumPyStreams(name: String) throws {
    let archive = try Sample.open(name)
    #expect(archive.tensorNames == ["h_n", "output"])
    #expect(try archive.tensor(named: "output").elements(as: Double.self) == Sample.eighths)
    #expect(try archive.manifest() == nil)
  }

  @Test func namesAMemberThatIsNotThere() throws {
    let archive = try Sample.open("stored.npz")
    let error = #expect(throws: ArchiveError.self) { try archive.tensor(named: "A") }
    #expect(error?.reason == .noSuchMember(available: ["a", "folder/b", "n"]))
  }

  @Test func refusesOtherCompression() {
    let error = Sample.error(Sample.path("bzip2.npz"))
    #expect(error?.member == "a.npy")
    #expect(
      error?.reason
        == .unsupported(
          "compression method", expected: "0 (stored) or 8 (deflated)", found: "12"))
  }

  @Test(arguments: ["stored.npz", "deflated.npz", "zip64.npz"])
  func everyTruncationIsAnError(name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try bytes(of: Sample.path(name))
    for length in 0..<whole.count {
      let path = try folder.write(whole.prefix(length), to: "cut.npz")
      #expect(Sample.error(path) != nil, "cut to \(length) bytes")
    }
  }

  /// Any one damaged byte is an error, or changes nothing that is read: dates,
  /// versions and attributes say nothing about the data.
  @Test(arguments: ["stored.npz", "deflated.npz", "zip64.npz"])
  func noDamagedByteGivesOtherNumbers(name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try bytes(of: Sample.path(name))
    let sound = try Sample.readAll(Sample.path(name))
    var errors = 0
    for offset in whole.indices {
      for flip in [UInt8(0x01), 0x80, 0xFF] {
        var damaged = whole
        damaged[offset] ^= flip
        let path = try folder.write(damaged, to: "damaged.npz")
        guard let read = try? Sample.readAll(path) else {
          errors += 1
          continue
        }
        #expect(read.count == sound.count, "byte \(offset)")
        for (name, tensor) in read {
          #expect(
            tensor.elements(as: Double.self) == sound[name]?.elements(as: Double.self),
            "byte \(offset), \(name)")
        }
      }
    }
    #expect(errors > whole.count)
  }

  @Test func namesTheMemberWhoseChecksumIsWrong() throws {
    let folder = try TemporaryFolder()
    var damaged = try bytes(of: Sample.path("stored.npz"))
    // The first byte of data behind the first member's header of 128 bytes.
    let header = 30 + "a.npy".utf8.count
    damaged[header + 128] ^= 1
    let error = Sample.error(try folder.write(damaged, to: "damaged.npz"))
    #expect(error?.member == "a.npy")
    guard case .corrupt("CRC-32", _, _) = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func saysWhatIsNotAZIPFile() throws {
    let folder = try TemporaryFolder()
    let error = Sample.error(try folder.write("not a ZIP file at all", to: "a.npz"))
    #expect(error?.reason == .wrongFormat(expected: "a ZIP file", found: "\"not a ZI\""))
  }

  @Test func anEmptyArchiveHoldsNothing() throws {
    let folder = try TemporaryFolder()
    let end: [UInt8] = [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 18)
    let path = try folder.write(end, to: "a.npz")
    #expect(try Sample.readAll(path).isEmpty)
  }

  /// A member that claims to unpack to more than deflate can.
  @Test func refusesBombsBeforeUnpacking() throws {
    let folder = try TemporaryFolder()
    var bytes = try bytes(of: Sample.path("deflated.npz"))
    let signature: [UInt8] = [0x50, 0x4B, 1, 2]
    let entry = try #require(
      bytes.indices.first { bytes[$0...].starts(with: signature) })
    bytes.replaceSubrange(entry + 24..<entry + 28, with: [0, 0, 0, 0x80])
    let error = Sample.error(try folder.write(bytes, to: "bomb.npz"))
    guard case .corrupt("size", _, "2147483648") = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  /// Some readers find nothing in a member that is marked as a folder.
  @Test func refusesAFolderWithData() throws {
    let folder = try TemporaryFolder()
    var bytes = try bytes(of: Sample.path("stored.npz"))
    bytes[try #require(entries(in: bytes).first) + 38] |= 0x10
    let error = Sample.error(try folder.write(bytes, to: "folder.npz"))
    guard case .corrupt("attributes", _, "those of a folder") = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.member == "a.npy")
  }

  /// Entries that point at the same data unpack to any multiple of it.
  @Test func refusesMembersThatShareTheirBytes() throws {
    let folder = try TemporaryFolder()
    var bytes = try bytes(of: Sample.path("stored.npz"))
    for entry in entries(in: bytes) {
      let size = (0..<4).reduce(0) { $0 | UInt32(bytes[entry + 20 + $1]) << (8 * $1) } + 500
      let field = (0..<4).map { UInt8(size >> (8 * $0) & 0xFF) }
      bytes.replaceSubrange(entry + 20..<entry + 28, with: field + field)
    }
    let error = Sample.error(try folder.write(bytes, to: "overlap.npz"))
    guard case .corrupt("members", _, _) = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func refusesADirectoryThatCountsWrong() throws {
    let folder = try TemporaryFolder()
    var bytes = try bytes(of: Sample.path("stored.npz"))
    bytes[bytes.count - 12] -= 1
    let error = Sample.error(try folder.write(bytes, to: "count.npz"))
    guard
      case .corrupt("central directory", "3 entries up to byte \(bytes.count - 22)", _) = error?
        .reason
    else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  /// Where the entries of the central directory start.
  private func entries(in bytes: [UInt8]) -> [Int] {
    bytes.indices.filter { bytes[$0...].starts(with: [0x50, 0x4B, 1, 2] as [UInt8]) }
  }
}
