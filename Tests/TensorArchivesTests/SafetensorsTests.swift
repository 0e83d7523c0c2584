import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// Files in the format safetensors, made here byte by byte: what is sound is read, and what
/// contradicts itself is one error that says where.
@Suite struct SafetensorsTests {
  /// A file with this header and so many bytes behind it, each of its own value.
  private static func file(_ header: String, dataBytes: Int = 0) -> [UInt8] {
    let length = (0..<8).map { UInt8(header.utf8.count >> (8 * $0) & 0xFF) }
    return length + Array(header.utf8) + (0..<dataBytes).map { UInt8($0 & 0xFF) }
  }

  private func open(_ bytes: [UInt8]) throws -> (TemporaryFolder, any TensorArchive) {
    let folder = try TemporaryFolder()
    return (folder, try TensorContainer.open(try folder.write(bytes, to: "a.safetensors")))
  }

  private func error(_ bytes: [UInt8]) throws -> ArchiveError {
    let folder = try TemporaryFolder()
    return try #require(Sample.error(try folder.write(bytes, to: "a.safetensors")))
  }

  /// What an error says behind the path.
  private func message(_ header: String, dataBytes: Int = 0) throws -> String {
    let error = try error(Self.file(header, dataBytes: dataBytes))
    return String("\(error)".dropFirst(error.path.count + 2))
  }

  private static let item = #"{"dtype":"I16","shape":[2],"data_offsets":[0,4]}"#

  @Test func narrowIntegersBecomeInt32() throws {
    let (folder, archive) = try open(
      Self.file(
        """
        {"b":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]},\
        "u8":{"dtype":"U8","shape":[1,1],"data_offsets":[3,4]},\
        "i8":{"dtype":"I8","shape":[252],"data_offsets":[4,256]},\
        "i16":{"dtype":"I16","shape":[],"data_offsets":[256,258]}}
        """, dataBytes: 258))
    defer { withExtendedLifetime(folder) {} }
    #expect(archive.tensorNames == ["b", "i16", "i8", "u8"])
    #expect(try archive.tensor(named: "b").integers == [0, 1, 1])
    #expect(try archive.tensor(named: "u8").integers == [3])
    #expect(try archive.tensor(named: "i8").integers == (4..<256).map { $0 < 128 ? $0 : $0 - 256 })
    #expect(try archive.tensor(named: "i16").integers == [0x0100])
    #expect(try archive.header(of: "i8") == TensorHeader(.int32, [252]))
    #expect(try archive.source(of: "i8").block(3..<5).integers == [7, 8])
    #expect(try archive.manifest() == nil)
  }

  @Test func theManifestIsAMetadatasText() throws {
    let (folder, archive) = try open(
      Self.file(#"{"__metadata__":{"format":"pt","manifest":"{\"a\": 1}"}}   "#))
    defer { withExtendedLifetime(folder) {} }
    #expect(archive.tensorNames == [])
    #expect(try archive.manifest() == #"{"a": 1}"#)
  }

  /// As MLX writes it.
  @Test func metadataMayBeNull() throws {
    let (folder, archive) = try open(
      Self.file(#"{"__metadata__":null,"a":\#(Self.item)}"#, dataBytes: 4))
    defer { withExtendedLifetime(folder) {} }
    #expect(archive.tensorNames == ["a"])
    #expect(try archive.manifest() == nil)
  }

  /// The other tensors of the file are read.
  @Test func anUnknownTypeIsNamed() throws {
    let (folder, archive) = try open(
      Self.file(
        """
        {"a":\(Self.item),"b":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[4,8]},\
        "c":{"dtype":"X9","shape":[7],"data_offsets":[8,9]}}
        """, dataBytes: 9))
    defer { withExtendedLifetime(folder) {} }
    #expect(try archive.tensor(named: "a").integers == [0x0100, 0x0302])
    for (name, type) in [("b", "F8_E4M3"), ("c", "X9")] {
      let error = #expect(throws: ArchiveError.self) { try archive.tensor(named: name) }
      #expect(error?.member == name)
      #expect(
        "\(error!)".hasSuffix("BF16, BOOL, F16, F32, F64, I16, I32, I64, I8, U8, found \"\(type)\"")
      )
    }
  }

  @Test(arguments: [
    (
      #"{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}"#, 3,
      "the data is cut off: expected 4 bytes, found 3"
    ),
    (
      #"{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}"#, 5,
      "the data: expected 4 bytes, as the header says, found 5"
    ),
    (
      #"{"a":{"dtype":"I16","shape":[2],"data_offsets":[1,5]}}"#, 5,
      "a: data_offsets: expected a start at 0, behind the header, found 1, a gap"
    ),
    (
      #"{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}}"#,
      5, #"b: data_offsets: expected a start at 4, behind "a", found 3, an overlap"#
    ),
    (
      #"{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[5,7]}}"#,
      7, #"b: data_offsets: expected a start at 4, behind "a", found 5, a gap"#
    ),
    (
      #"{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}"#,
      4, #"b: data_offsets: expected a start at 4, behind "a", found 0, an overlap"#
    ),
    (
      #"{"a":{"dtype":"I16","shape":[3],"data_offsets":[0,4]}}"#, 4,
      "a: the data of I16 (3,): expected 6 bytes, found 4"
    ),
    (
      #"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}"#, 1,
      "a: the data of F4 (3,): expected 2 bytes, found 1"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}"#, 4,
      "the data is cut off: expected 4398046511104 bytes, found 4"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}}"#, 4,
      "a: the data of F32 (4611686018427387904,): expected more than 2^63 bits, found 4"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#, 4,
      "a: shape: expected at most 64 sizes whose product fits 63 bits, found (4611686018427387904, 4)"
    ),
    (
      #"{"a":{"dtype":"I16","shape":[2],"data_offsets":[4,0]}}"#, 4,
      "a: data_offsets: expected a start and an end that is not before it, found (4, 0)"
    ),
    (
      #"{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4,4]}}"#, 4,
      "a: data_offsets: expected a start and an end that is not before it, found (0, 4, 4)"
    ),
    (
      #"{"a":{"dtype":"I16","shape":[-2],"data_offsets":[0,4]}}"#, 4,
      "a: shape: expected integers from 0 on, found -2"
    ),
    (
      #"{"a":{"dtype":"I16","shape":[2.5],"data_offsets":[0,4]}}"#, 4,
      "a: shape: expected integers from 0 on, found 2.5"
    ),
    (
      #"{"a":{"dtype":"I16","shape":2,"data_offsets":[0,4]}}"#, 4,
      "a: shape: expected an array of integers, found 2"
    ),
    (
      #"{"a":{"dtype":16,"shape":[2],"data_offsets":[0,4]}}"#, 4,
      "a: dtype: expected a string, found 16"
    ),
    (
      #"{"a":{"dtype":"I16","shape":[2]}}"#, 4,
      #"a: header: expected the keys dtype, shape and data_offsets, found "dtype", "shape""#
    ),
    (#"{"a":[]}"#, 0, "a: header: expected an object, found an array"),
    (
      #"{"a":{},"a":{}}"#, 0, "header, line 1, column 9: expected every key once, found '\"a\":{}}'"
    ),
    (#"{"a":{}"#, 0, "header, line 1, column 8: expected a comma or }, found the end"),
    (
      #"{"__metadata__":{"manifest":{}}}"#, 0,
      #"__metadata__: metadata "manifest": expected a string, found an object"#
    ),
    (#"{"__metadata__":""}"#, 0, #"__metadata__: metadata: expected an object, found """#),
    (
      #"{"a\u0000b":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}"#, 4,
      #"a\u{0}b: name: expected no control characters, found "a\u{0}b""#
    ),
    (
      #"{"../a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}"#, 4,
      #"../a: name: expected no .. between slashes, found "../a""#
    ),
  ])
  func whatContradictsItselfIsOneError(header: String, dataBytes: Int, expected: String) throws {
    #expect(try message(header, dataBytes: dataBytes) == expected)
  }

  @Test func whatIsNoSuchFileIsSaid() throws {
    #expect(
      try error(Array("not safetensors".utf8)).reason
        == .wrongFormat(expected: "a safetensors file", found: "\"not safe\""))
    #expect(
      try error([]).reason
        == .truncated("length of the header", expectedBytes: 8, foundBytes: 0))
    var long = Self.file("{}")
    long[3] = 0x40
    #expect(
      try error(long).reason
        == .corrupt(
          "length of the header", expected: "at most 16777216 bytes", found: "1073741826"))
    #expect(
      try error(Self.file("{\u{7F}}").map { $0 == 0x7F ? 0xFF : $0 }).reason
        == .corrupt("header", expected: "UTF-8", found: "other bytes"))
  }

  /// A file is a prefix of no other, since its size is in its header.
  @Test func everyTruncationIsAnError() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    let tensor = Tensor((0..<6).map(Float.init), shape: [2, 3])
    try TensorContainer.write(["a": tensor, "b": tensor], manifest: "{}", to: path)
    let whole = try bytes(of: path)
    for length in 0..<whole.count {
      let cut = try folder.write(whole.prefix(length), to: "cut.safetensors")
      #expect(Sample.error(cut) != nil, "cut to \(length) bytes")
    }
  }

  /// Any damaged byte is an error, or gives as many numbers as before: never a crash.
  @Test func noDamagedByteCrashes() throws {
    let folder = try TemporaryFolder()
    let whole = Self.file(#"{"a":\#(Self.item),"__metadata__":{"manifest":"x"}}"#, dataBytes: 4)
    var errors = 0
    for offset in 0..<whole.count - 4 {
      for flip in [UInt8(0x01), 0x02, 0x10, 0x80, 0xFF] {
        var damaged = whole
        damaged[offset] ^= flip
        let path = try folder.write(damaged, to: "damaged.safetensors")
        if Sample.error(path) != nil { errors += 1 }
      }
    }
    #expect(errors > whole.count)
  }

  @Test func theFormatsOwnNameIsNotWritten() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: ArchiveError.self) {
      try TensorContainer.write(
        ["__metadata__": Tensor([Float(1)], shape: [])], to: folder.path + "/a.safetensors")
    }
    #expect(error?.member == "__metadata__")
  }
}
