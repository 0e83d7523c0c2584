import Testing

@testable import TensorArchives

/// The packed bytes are made by hand, from the table in `LZF`; tools/tests reads what h5py packs.
@Suite struct LZFTests {
  private func unpacked(_ bytes: [UInt8], room: Int) -> [UInt8]? {
    var output = [UInt8](repeating: 0, count: room)
    let count = bytes.withUnsafeBytes { input in
      output.withUnsafeMutableBytes { LZF.unpack(input, into: $0) }
    }
    return count.map { Array(output[..<$0]) }
  }

  @Test func literalsAndCopiesAreUnpacked() {
    #expect(unpacked([2, 7, 8, 9], room: 3) == [7, 8, 9])
    // Three bytes from two back, the last of which it has itself unpacked.
    #expect(unpacked([1, 7, 8, 1 << 5, 1], room: 8) == [7, 8, 7, 8, 7])
    #expect(unpacked([0, 5, 7 << 5, 3, 0], room: 13) == Array(repeating: 5, count: 13))
    #expect(unpacked([], room: 4) == [])
  }

  @Test(
    arguments: [
      [2, 7, 8], [1 << 5, 0], [0, 5, 1 << 5], [0, 5, 7 << 5, 3], [0, 5, 1 << 5, 1],
      [0, 5, 0x3F, 0xFF],
      [31] + Array(repeating: 1, count: 32), [0, 5, 7 << 5, 255, 0],
    ] as [[UInt8]])
  func whatIsDamagedIsNotUnpacked(_ bytes: [UInt8]) { #expect(unpacked(bytes, room: 20) == nil) }
}
