import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// GGUF files, made here byte by byte, and one that the library `gguf` wrote.
@Suite struct GGUFTests {
  private static func field(_ value: Int, _ bytes: Int) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func text(_ text: String) -> [UInt8] {
    field(text.utf8.count, 8) + Array(text.utf8)
  }

  private struct Item {
    var name = "a"
    var axes = [3, 2]
    var type = 0
    var offset = 0

    var bytes: [UInt8] {
      text(name) + field(axes.count, 4) + axes.flatMap { field($0, 8) } + field(type, 4)
        + field(offset, 8)
    }
  }

  /// A file with these tensors, metadata (as they stand in the file) and bytes of data.
  private static func file(
    _ items: [Item], metadata: [[UInt8]] = [], dataBytes: Int = 24, version: Int = 3
  ) -> [UInt8] {
    let header =
      Array("GGUF".utf8) + field(version, 4) + field(items.count, 8) + field(metadata.count, 8)
      + metadata.joined() + items.flatMap(\.bytes)
    return header + [UInt8](repeating: 0, count: (32 - header.count % 32) % 32)
      + (0..<dataBytes).map { UInt8($0 & 0x3F) }
  }

  private func message(_ bytes: [UInt8]) throws -> String {
    let folder = try TemporaryFolder()
    let error = try #require(Sample.error(try folder.write(bytes, to: "a.gguf")))
    return String("\(error)".dropFirst(error.path.count + 2))
  }

  @Test func theAxesAreInPyTorchsOrder() throws {
    let archive = try Sample.open("all.gguf")
    #expect(archive.tensorNames == ["a", "b", "bfloat16", "float16", "n", "q8"])
    #expect(try archive.tensor(named: "a").shape == Sample.shape)
    for name in ["a", "b", "float16", "bfloat16"] {
      #expect(try archive.tensor(named: name).elements(as: Double.self) == Sample.eighths)
    }
    #expect(try archive.tensor(named: "n").integers == Sample.integers)
    #expect(try archive.header(of: "b").elementType == .float64)
    #expect(try archive.manifest() == nil)
  }

  /// A scale of 0.5 and the numbers 0 to 31, less one.
  @Test func quantisedBlocksAreMultiplied() throws {
    let folder = try TemporaryFolder()
    var bytes = Self.file([Item(axes: [32, 1], type: 8)], dataBytes: 0)
    bytes += [0x00, 0x38] + (0..<32).map { UInt8(bitPattern: Int8($0 - 1)) }
    let archive = try TensorContainer.open(try folder.write(bytes, to: "a.gguf"))
    let tensor = try archive.tensor(named: "a")
    #expect(tensor.elementType == .float32 && tensor.shape == [1, 32])
    #expect(tensor.elements(as: Double.self) == (0..<32).map { Double($0 - 1) / 2 })
  }

  @Test func metadataArePassedOver() throws {
    let folder = try TemporaryFolder()
    let array = Self.text("list") + Self.field(9, 4)
    let metadata = [
      Self.text("a") + Self.field(4, 4) + [1, 2, 3, 4], Self.text("b") + Self.field(7, 4) + [1],
      Self.text("c") + Self.field(8, 4) + Self.text("some words"),
      array + Self.field(8, 4) + Self.field(2, 8) + Self.text("x") + Self.text("yz"),
      Self.text("d") + Self.field(9, 4) + Self.field(1, 4) + Self.field(3, 8) + [1, 2, 3],
      Self.text("general.alignment") + Self.field(4, 4) + Self.field(32, 4),
    ]
    let bytes = Self.file([Item()], metadata: metadata)
    let tensors = try Sample.readAll(try folder.write(bytes, to: "a.gguf"))
    #expect(tensors.mapValues(\.shape) == ["a": [2, 3]])
  }

  @Test func anUnknownTypeIsNamed() throws {
    let folder = try TemporaryFolder()
    let bytes = Self.file([Item(), Item(name: "b", type: 12, offset: 32)], dataBytes: 64)
    let archive = try TensorContainer.open(try folder.write(bytes, to: "a.gguf"))
    #expect(try archive.tensor(named: "a").count == 6)
    let error = #expect(throws: ArchiveError.self) { try archive.tensor(named: "b") }
    #expect(error?.member == "b" && "\(error!)".contains("found Q4_K; "))
  }

  @Test func whatContradictsItselfIsOneError() throws {
    let nested = (0..<20).map { _ in Self.field(9, 4) + Self.field(1, 8) }.joined()
    let alignment = Self.text("general.alignment") + Self.field(4, 4)
    let cases: [([UInt8], String)] = [
      (Array("GGML".utf8), "expected a GGUF file, found \"GGML\""),
      (Self.file([], version: 1), "version: expected 2 or 3, found 1"),
      (Self.file([], version: 3 << 24), "version: expected 2 or 3, found a big-endian file"),
      (
        Self.file([Item()], dataBytes: 23), "a: the data is cut off: expected 24 bytes, found 23"
      ),
      (
        Self.file([Item(), Item(name: "b")]),
        #"b: data: expected its start at 24 or later, behind "a", found 0, an overlap"#
      ),
      (
        Self.file([Item(), Item(offset: 32)], dataBytes: 56),
        "a: name: expected one tensor of it, found two"
      ),
      (
        Self.file([Item(offset: 8)], dataBytes: 40),
        #"tensor "a": expected an offset that is a multiple of 32, found 8"#
      ),
      (
        Self.file([Item(offset: 1 << 62)]),
        "a: the data is cut off: expected 24 bytes, found 0"
      ),
      (
        Self.file([Item(axes: [1 << 40])]),
        "a: the data is cut off: expected 4398046511104 bytes, found 24"
      ),
      (
        Self.file([Item(axes: [1 << 40, 1 << 40])]),
        #"tensor "a": expected sizes whose product fits 63 bits, found (1099511627776, 1099511627776)"#
      ),
      (
        Self.file([Item(axes: [1, 1, 1, 1, 1])]), #"tensor "a": expected at most 4 axes, found 5"#
      ),
      (
        Self.file([Item(axes: [31, 32], type: 8)], dataBytes: 1054),
        "a: shape: expected a last axis of a multiple of 32, found (32, 31)"
      ),
      (
        Self.file([Item(name: "x\u{0}")]),
        #"x\u{0}: name: expected no control characters, found "x\u{0}""#
      ),
      (
        Self.file([Item(name: "../x")]),
        #"../x: name: expected no .. between slashes, found "../x""#
      ),
      (
        Self.file([], metadata: [Self.text("k") + Self.field(0, 4) + [0], Self.text("k")]),
        #"metadata: expected every key once, found "k" twice"#
      ),
      (
        Self.file([], metadata: [Self.text("k") + Self.field(13, 4)]),
        #"metadata "k": expected a type from 0 to 12, found 13"#
      ),
      (
        Self.file([], metadata: [Self.text("k") + Self.field(9, 4) + nested]),
        #"metadata "k": expected at most 8 levels, found more"#
      ),
      (
        Self.file([], metadata: [alignment + Self.field(0, 4)]),
        "general.alignment: expected a multiple of 8 up to 1048576, found 0"
      ),
      (
        Self.file([], metadata: [Self.text("general.alignment") + Self.field(10, 4)]),
        "general.alignment: expected the type 4, uint32, found 10"
      ),
    ]
    for (bytes, expected) in cases { #expect(try message(bytes) == expected) }
  }

  @Test func claimsOfGigabytesAreErrors() throws {
    let start = Array("GGUF".utf8) + Self.field(3, 4)
    #expect(
      try message(start + Self.field(1 << 50, 8) + Self.field(0, 8))
        == "tensors: expected at most 100000, found 1125899906842624")
    #expect(
      try message(start + Self.field(1, 8) + Self.field(1 << 62, 8)).contains("is cut off"))
    for type in [0, 6, 8, 9] {
      let array = Self.text("k") + Self.field(9, 4) + Self.field(type, 4) + Self.field(1 << 62, 8)
      #expect(try message(Self.file([], metadata: [array])).contains("is cut off"), "\(type)")
    }
    let text = Self.text("k") + Self.field(8, 4) + Self.field(1 << 62, 8)
    #expect(try message(Self.file([], metadata: [text])).contains("is cut off"))
  }

  @Test func everyTruncationIsAnError() throws {
    let folder = try TemporaryFolder()
    let whole = Self.file(
      [Item(), Item(name: "b", offset: 32)],
      metadata: [Self.text("k") + Self.field(8, 4) + Self.text("v")], dataBytes: 56)
    #expect(try Sample.readAll(try folder.write(whole, to: "a.gguf")).count == 2)
    for length in 0..<whole.count {
      let path = try folder.write(whole.prefix(length), to: "cut.gguf")
      #expect(Sample.error(path) != nil, "cut to \(length) bytes")
    }
  }

  @Test func noDamagedByteCrashes() throws {
    let folder = try TemporaryFolder()
    let whole = try bytes(of: Sample.path("all.gguf"))
    var errors = 0
    for offset in 0..<min(whole.count, 600) {
      for flip in [UInt8(0x01), 0x40, 0xFF] {
        var damaged = whole
        damaged[offset] ^= flip
        if Sample.error(try folder.write(damaged, to: "damaged.gguf")) != nil { errors += 1 }
      }
    }
    #expect(errors > 300)
  }
}
