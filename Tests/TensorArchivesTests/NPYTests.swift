import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// Files that NumPy wrote: every version, type and order, and that a header which lies is an
/// error before anything is allocated.
@Suite struct NPYTests {
  @Test(arguments: ["float32", "version2", "version3"])
  func readsEveryVersion(name: String) throws {
    let tensor = try Sample.open(name + ".npy").tensor(named: "")
    #expect(tensor.elementType == .float32)
    #expect(tensor.shape == Sample.shape)
    #expect(tensor.elements(as: Double.self) == Sample.eighths)
  }

  @Test(
    arguments: [
      ("float16", .float16), ("float64", .float64), ("big-endian", .float32),
      ("big-endian-float16", .float16), ("fortran", .float32),
      ("big-endian-fortran-float64", .float64),
    ] as [(String, ElementType)])
  func readsEveryFloatInEveryOrder(name: String, type: ElementType) throws {
    let tensor = try Sample.open(name + ".npy").tensor(named: "")
    #expect(tensor.elementType == type)
    #expect(tensor.shape == Sample.shape)
    #expect(tensor.elements(as: Double.self) == Sample.eighths)
  }

  @Test(
    arguments: [("int32", .int32), ("int64", .int64), ("big-endian-int64", .int64)]
      as [(String, ElementType)])
  func readsIntegers(name: String, type: ElementType) throws {
    let tensor = try Sample.open(name + ".npy").tensor(named: "")
    #expect(tensor.elementType == type)
    #expect(tensor.integers == Sample.integers)
  }

  @Test func readsScalarsAndEmptyArrays() throws {
    let scalar = try Sample.open("scalar.npy").tensor(named: "")
    #expect(scalar.shape == [] && scalar.elements(as: Double.self) == [2.5])
    let empty = try Sample.open("empty.npy").tensor(named: "")
    #expect(empty.shape == [0, 3] && empty.count == 0)
    let fortran = try Sample.open("fortran-empty.npy").tensor(named: "")
    #expect(fortran.shape == [2, 0, 3] && fortran.count == 0)
  }

  @Test(arguments: [
    ("complex64.npy", "'<c8'"), ("structured.npy", "a structured type"), ("object.npy", "'|O'"),
    ("uint16.npy", "'<u2'"),
    (
      "nameless.npy",
      "'|V2'; if it is bfloat16, save it as float32, with the arithmetic in the manifest"
    ),
  ])
  func refusesWhatItCannotRead(name: String, found: String) throws {
    let error = try #require(Sample.error(Sample.path(name)))
    guard case .unsupported(_, _, found) = error.reason else {
      Issue.record("\(error)")
      return
    }
    #expect("\(error)".hasPrefix(Sample.path(name) + ": "))
  }

  @Test func everyTruncationIsAnError() throws {
    let folder = try TemporaryFolder()
    let whole = try bytes(of: Sample.path("float32.npy"))
    for length in 0..<whole.count {
      let path = try folder.write(whole.prefix(length), to: "cut.npy")
      #expect(Sample.error(path) != nil, "cut to \(length) bytes")
    }
    let path = try folder.write(whole + [0], to: "longer.npy")
    #expect(
      Sample.error(path)?.reason
        == .corrupt(
          "the data of float32 (2, 3, 4)", expected: "96 bytes", found: "97"))
  }

  /// A version 1.0 file with this header and these bytes of data.
  private func file(_ header: String, data: [UInt8] = []) -> [UInt8] {
    let length = header.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
      + Array(header.utf8) + data
  }

  @Test func acceptsAnyOrderOfKeysAndSpaces() throws {
    let folder = try TemporaryFolder()
    let header = "{'shape':(  2 , ),\n'fortran_order' : False, \"descr\": '<f4'}  "
    let path = try folder.write(
      file(header, data: [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]), to: "a.npy")
    #expect(try Sample.readAll(path)[""]?.elements(as: Float.self) == [1, 2])
  }

  @Test(arguments: [
    "", "{", "{'descr': '<f4'}", "[1, 2]", "{'descr': '<f4', 'fortran_order': False, 'shape': 3}",
    "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': ('a',)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
    "{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,", "{'descr': '<f4",
    "{'descr': ((((((((((((((((((1))))))))))))))))))}",
  ])
  func refusesHeadersThatLie(header: String) throws {
    let folder = try TemporaryFolder()
    #expect(Sample.error(try folder.write(file(header, data: [0, 0, 0, 0]), to: "a.npy")) != nil)
  }

  @Test(arguments: [
    ("{'descr': nonsense}", "header, character 10: expected a string, found \"nonsense}\""),
    ("{'descr': '<f4", "header, character 14: expected a closing quote, found the end"),
    ("[1, 2]", "header, character 0: expected '{', found \"[1, 2]\""),
    (
      "{'fortran_order': 0}", "header, character 18: expected True or False, found \"0}\""
    ),
    (
      "{'descr': '<f4', 'descr': '<f8'}",
      "header, character 24: expected the key 'descr' once, found \": '<f8'}\""
    ),
    (
      "{'descr': '<f4', 'more': 1}",
      "header: expected the keys descr, fortran_order, shape, found descr, more"
    ),
    ("{'descr': '<f4'}", "header: expected the keys descr, fortran_order, shape, found descr"),
    (
      "{'shape': (1, 'a')}",
      "header, character 14: expected an integer of at most 64 bits, found \"'a')}\""
    ),
    (
      "{'shape': (-1L,)}",
      "shape: expected at most 64 sizes whose product fits 63 bits, found (-1,)"
    ),
    (
      "{'descr': [('a', '<f4')]}",
      "element type: expected one number an element, found a structured type"
    ),
  ])
  func saysWhereAHeaderGoesWrong(header: String, message: String) throws {
    let folder = try TemporaryFolder()
    let error = Sample.error(try folder.write(file(header), to: "a.npy"))
    #expect(error.map { "\($0.reason)" } == message)
  }

  @Test func claimingGigabytesAllocatesNothing() throws {
    let folder = try TemporaryFolder()
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}"
    let error = Sample.error(try folder.write(file(header), to: "a.npy"))
    #expect(
      error?.reason
        == .corrupt(
          "the data of float32 (1000000000000,)", expected: "4000000000000 bytes", found: "0"))
  }

  /// No elements, and an axis that must not be counted through.
  @Test func anEmptyArrayWithAHugeAxisIsEmpty() throws {
    let folder = try TemporaryFolder()
    for order in ["True", "False"] {
      let header = "{'descr': '<f4', 'fortran_order': \(order), 'shape': (1099511627776, 0)}"
      let path = try folder.write(file(header), to: "a.npy")
      #expect(try Sample.readAll(path)[""]?.shape == [1_099_511_627_776, 0])
    }
  }

  @Test func saysWhatIsNotAnNPYFile() throws {
    let folder = try TemporaryFolder()
    func found(_ text: String) throws -> String {
      "\(try #require(Sample.error(try folder.write(text, to: "a.npy"))).reason)"
    }
    #expect(try found("hello world") == "expected an .npy file, found \"hello wo\"")
    #expect(try found("") == "expected an .npy file, found an empty file")
    #expect(try found("\u{01}\u{02}") == "expected an .npy file, found bytes 01 02")
    #expect(
      Sample.error(folder.path + "/none.npy")?.reason == .unreadable("no such file or folder"))
  }
}
