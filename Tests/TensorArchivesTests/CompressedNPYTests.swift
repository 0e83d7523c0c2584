import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// `.npy.gz` files: damage gives an error, and never other numbers.
@Suite struct CompressedNPYTests {
  private let whole: [UInt8]

  init() throws { whole = try bytes(of: Sample.path("float32.npy.gz")) }

  @Test func readsWhatGzipPacked() throws {
    let tensor = try Sample.open("float32.npy.gz").tensor(named: "")
    #expect(tensor.shape == Sample.shape)
    #expect(tensor.elements(as: Double.self) == Sample.eighths)
  }

  @Test func everyTruncationIsAnError() throws {
    let folder = try TemporaryFolder()
    for length in 0..<whole.count {
      let path = try folder.write(whole.prefix(length), to: "cut.npy.gz")
      #expect(Sample.error(path) != nil, "cut to \(length) bytes")
    }
    #expect(Sample.error(try folder.write(whole + [0], to: "longer.npy.gz")) != nil)
  }

  @Test func noDamagedByteGivesOtherNumbers() throws {
    let folder = try TemporaryFolder()
    var errors = 0
    for offset in whole.indices {
      for flip in [UInt8(0x01), 0x80, 0xFF] {
        var damaged = whole
        damaged[offset] ^= flip
        let path = try folder.write(damaged, to: "damaged.npy.gz")
        guard let read = try? Sample.readAll(path) else {
          errors += 1
          continue
        }
        #expect(read[""]?.elements(as: Double.self) == Sample.eighths, "byte \(offset)")
      }
    }
    #expect(errors > 2 * whole.count)
  }

  @Test func refusesBombsBeforeUnpacking() throws {
    let folder = try TemporaryFolder()
    let claimed = whole.dropLast(4) + [0, 0, 0, 0x80]
    let error = Sample.error(try folder.write(claimed, to: "bomb.npy.gz"))
    guard case .corrupt("size at the end", _, "2147483648") = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func saysWhatIsNotGzip() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(try bytes(of: Sample.path("float32.npy")), to: "plain.npy.gz")
    #expect(
      Sample.error(path)?.reason
        == .wrongFormat(expected: "a gzip file", found: "bytes 93 4e 55 4d 50 59 01 00"))
  }
}
