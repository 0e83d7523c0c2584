import Platform
import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// Pickles made byte by byte: nothing that a pickle can say crashes, hangs or fills the memory.
@Suite struct PickleTests {
  /// A file of `torch.save` with this pickle and one storage.
  private func file(
    _ opcodes: [UInt8], storage: Int = 0, in folder: TemporaryFolder
  ) throws -> String {
    let path = folder.path + "/a.pt"
    var zip = try ZIPWriter(path: path)
    try zip.add(MemberContents(Data(PickleBytes.pickle(opcodes))), named: "a/data.pkl")
    try zip.add(MemberContents(Data(count: storage)), named: "a/data/0")
    try zip.finish()
    return path
  }

  /// What the error of such a file says behind its path.
  private func message(_ opcodes: [UInt8], storage: Int = 0) throws -> String {
    let folder = try TemporaryFolder()
    let error = try #require(Sample.error(try file(opcodes, storage: storage, in: folder)))
    return String("\(error)".dropFirst(error.path.count + 2))
  }

  @Test func theTensorsOfTheseTestsAreSound() throws {
    let folder = try TemporaryFolder()
    let sound = PickleBytes.dictionary([
      ("a", PickleBytes.tensor([2, 3], [3, 1], offset: 1, of: 7))
    ])
    let tensors = try Sample.readAll(try file(sound, storage: 28, in: folder))
    #expect(tensors.mapValues(\.shape) == ["a": [2, 3]])
  }

  // MARK: - Values

  @Test func everyValueIsRead() throws {
    let opcodes: [UInt8] =
      [0x5D, 0x28, 0x4E, 0x88, 0x89, 0x4B, 7, 0x4D, 1, 2, 0x4A, 0xFE, 0xFF, 0xFF, 0xFF]
      + [0x8A, 0, 0x8A, 1, 0x80, 0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0x80, 0]
      + [0x47, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0] + [0x8C, 2, 0x68, 0x69, 0x43, 1, 9, 0x65]
    let (pickle, end) = try PickleMachine.read(Data(PickleBytes.pickle(opcodes)))
    #expect(end == opcodes.count + 3)
    let values = try #require(pickle.sequence(pickle.root))
    let texts = values.map { "\($0)" }
    #expect(
      texts.prefix(8) == [
        "none", "boolean(true)", "boolean(false)", "integer(7)", "integer(513)", "integer(-2)",
        "integer(0)", "integer(-128)",
      ])
    #expect(texts[8].hasPrefix("largeInteger") && texts[9] == "number(1.5)")
    #expect(texts[10] == "string(\"hi\")" && texts[11].hasPrefix("bytes"))
  }

  /// What would delete files in Python is three names here.
  @Test func nothingIsCalled() throws {
    let opcodes =
      PickleBytes.global("os", "system") + PickleBytes.tuple(PickleBytes.text("exit 3")) + [0x52]
    let (pickle, _) = try PickleMachine.read(Data(PickleBytes.pickle(opcodes)))
    guard case .instance(let instance)? = pickle.object(pickle.root) else {
      Issue.record("\(pickle.root)")
      return
    }
    #expect(instance.name == "os.system" && instance.arguments.count == 1)
    let folder = try TemporaryFolder()
    #expect(try Sample.readAll(try file(opcodes, in: folder)).isEmpty)
  }

  @Test func attributesOfUnknownObjectsAreFollowed() throws {
    let folder = try TemporaryFolder()
    let state = PickleBytes.dictionary([("weight", PickleBytes.tensor([1], [1], of: 1))])
    let object = PickleBytes.global("their.code", "Thing") + [0x29, 0x81] + state + [0x62]
    let path = try file(PickleBytes.dictionary([("model", object)]), storage: 4, in: folder)
    #expect(try Sample.readAll(path).keys.sorted() == ["model.weight"])
  }

  // MARK: - Hostile pickles

  @Test func whatNeedsMoreThanTheStackIsAnError() throws {
    let cases: [([UInt8], String)] = [
      ([], "expected a value on the stack"), ([0x30], "expected a value on the stack"),
      ([0x86], "expected 2 values on the stack"), ([0x74], "expected a mark on the stack"),
      ([0x4E, 0x28, 0x85], "expected 1 values on the stack"),
      ([0x68, 9], "expected a value that was kept as 9"),
      ([0x4E, 0x4E, 0x61], "expected a list"), ([0x5D, 0x4E, 0x4E, 0x73], "expected a dictionary"),
      ([0x7D, 0x28, 0x4E, 0x75], "expected a value for each key"),
      ([0x4E, 0x4E, 0x93], "expected short names of a module and a class"),
      ([0x4E, 0x4E, 0x62], "expected an object"),
    ]
    for (opcodes, expected) in cases {
      #expect(try message(opcodes).contains(expected), "\(opcodes)")
    }
    #expect(
      try message([0x4E, 0x49])
        == "a/data.pkl: pickle, byte 3: expected an opcode of the protocols 2 to 5, found 49")
    #expect(try message([0x80, 9]).hasSuffix("pickle: expected the protocols 2 to 5, found 9"))
    #expect(
      try message([0x4E, 0x2E, 0x4E]) == "a/data.pkl: pickle: expected 6 bytes, found its end at 4")
  }

  @Test func claimsOfGigabytesAreErrors() throws {
    let huge: [UInt8] = [0xFF, 0xFF, 0xFF, 0x7F]
    #expect(try message([0x58] + huge).contains("is cut off: expected 2147483647 bytes, found 1"))
    #expect(try message([0x8B] + huge).contains("is cut off: expected 2147483647 bytes"))
    #expect(try message([0x8D] + huge + huge).contains("is cut off"))
    #expect(
      try message(PickleBytes.global(String(repeating: "a", count: 5000), "b"))
        .contains("expected a name of at most 1024 bytes, found more"))
    #expect(
      try message(PickleBytes.tensor([1 << 20, 1 << 20], [1 << 20, 1], of: 1 << 40))
        .contains("storage a/data/0: expected 4398046511104 bytes, found 0"))
    #expect(
      try message(PickleBytes.tensor([1], [1], of: .max)).contains("expected fewer than 2^63 bytes")
    )
  }

  @Test func deepPicklesAreAnErrorAndQuick() throws {
    let depth = 100_000
    for (open, close) in [([0x5D], [0x61]), ([], [0x85])] as [([UInt8], [UInt8])] {
      let opcodes =
        Array(repeating: open, count: depth).joined() + (open.isEmpty ? [0x4E] : [])
        + Array(repeating: close, count: depth - 1).joined()
      let text = try message(Array(opcodes))
      #expect(text.contains("pickle: expected at most 128 levels, found more"), "\(text)")
    }
  }

  @Test func whatContainsItselfIsAnError() throws {
    // A list in itself; a dictionary in a list in it.
    let list: [UInt8] = [0x5D, 0x71, 0, 0x68, 0, 0x61]
    let dictionary: [UInt8] =
      [0x7D, 0x71, 0] + PickleBytes.text("a") + [0x5D, 0x68, 0, 0x61, 0x73]
    #expect(
      try message(list) == "0: pickle: expected no object that contains itself, found one")
    #expect(
      try message(dictionary) == "a.0: pickle: expected no object that contains itself, found one")
  }

  /// Objects of classes know each other, as modules know their owners.
  @Test func anObjectThatKnowsItselfIsNot() throws {
    let folder = try TemporaryFolder()
    let object =
      PickleBytes.global("a", "B") + [0x29, 0x81, 0x71, 0]
      + PickleBytes.dictionary([("own", [0x68, 0]), ("w", PickleBytes.tensor([1], [1], of: 1))]) + [
        0x62
      ]
    #expect(try Sample.readAll(try file(object, storage: 4, in: folder)).keys.sorted() == ["w"])
  }

  /// Each level holds the one below it twice: 2^60 ways to the lowest.
  @Test func manyWaysToAnObjectAreAnErrorAndQuick() throws {
    var opcodes: [UInt8] = [0x5D, 0x71, 0]
    for _ in 0..<60 { opcodes += [0x68, 0, 0x86, 0x71, 0] }
    #expect(try message(opcodes).contains("expected at most 4000000 values, found more"))
  }

  @Test func manyObjectsAreAnErrorAndQuick() throws {
    let lists = [UInt8](repeating: 0x5D, count: 1_100_000)
    #expect(try message(lists).contains("expected at most 1000000 objects, found more"))
    let nones = [UInt8](repeating: 0x4E, count: 4_100_000)
    #expect(try message(nones).contains("expected at most 4000000 opcodes, found more"))
    // A list of a million items that is made a dictionary of again and again.
    let items =
      [0x5D, 0x28] + [UInt8](repeating: 0x4E, count: 1_000_000) + [0x65, 0x85, 0x71, 0]
      + [UInt8](
        (0..<10).flatMap { _ in
          PickleBytes.global("collections", "OrderedDict") + [0x68, 0, 0x52]
        })
    #expect(try message(items).contains("expected at most 4000000 opcodes, found more"))
  }

  // MARK: - Hostile tensors

  @Test func tensorsBeyondTheirStorageAreErrors() throws {
    for (sizes, strides, offset) in [
      ([2, 3], [3, 1], 2), ([8], [1], 0), ([1], [1], 7), ([2], [.max], 0), ([3], [1 << 62], 0),
      ([2, 2], [6, 2], 0), ([1], [1], .max),
    ] as [([Int], [Int], Int)] {
      let text = try message(
        PickleBytes.dictionary([("w", PickleBytes.tensor(sizes, strides, offset: offset, of: 7))]),
        storage: 28)
      #expect(
        text
          == "w: tensor: expected elements among the 7 of its storage, found "
          + "\(Shape.text(sizes)) from \(offset) with the strides \(Shape.text(strides))")
    }
    for (sizes, strides, offset) in [
      ([-1], [1], 0), ([1], [-1], 0), ([1], [1], -1), ([1, 1], [1], 0),
    ] {
      let text = try message(
        PickleBytes.dictionary([("w", PickleBytes.tensor(sizes, strides, offset: offset, of: 7))]),
        storage: 28)
      #expect(
        text == "w: tensor: expected a storage, an offset, sizes and strides, found other values")
    }
  }

  @Test func expandedTensorsDoNotFillTheMemory() throws {
    let one = PickleBytes.tensor([1 << 20, 1 << 20], [0, 0], of: 1)
    #expect(try message(one, storage: 4).contains("tensors: expected at most "))
    let overflowing = PickleBytes.tensor([1 << 40, 1 << 40], [0, 0], of: 1)
    #expect(try message(overflowing, storage: 4).contains("shape: expected at most 64 sizes"))
    let many = (0..<100).map { ("w\($0)", PickleBytes.tensor([1 << 20], [0], of: 1)) }
    #expect(
      try message(PickleBytes.dictionary(many), storage: 4).contains("tensors: expected at most "))
  }

  @Test func namesThatLeadAstrayAreErrors() throws {
    let tensor = PickleBytes.tensor([1], [1], of: 1)
    #expect(
      try message(PickleBytes.dictionary([("a\u{0}b", tensor)]), storage: 4)
        == #"a\u{0}b: name: expected no control characters, found "a\u{0}b""#)
    #expect(
      try message(PickleBytes.dictionary([("x/../a", tensor)]), storage: 4)
        == #"x/../a: name: expected no .. between slashes, found "x/../a""#)
    #expect(
      try message(PickleBytes.dictionary([("a", tensor), ("a", tensor)]), storage: 4)
        == "a: name: expected one tensor of it, found two")
    #expect(
      try message(
        PickleBytes.dictionary([("a.b", tensor), ("a", PickleBytes.dictionary([("b", tensor)]))]),
        storage: 4)
        == "a.b: name: expected one tensor of it, found two")
    #expect(
      try message(
        PickleBytes.dictionary([(String(repeating: "k", count: 2000), tensor)]), storage: 4)
        == "a/data.pkl: pickle: expected keys of at most 1024 bytes, found more")
  }

  @Test func aMissingStorageIsNamed() throws {
    let storage =
      PickleBytes.tuple(
        PickleBytes.text("storage"), PickleBytes.global("torch", "FloatStorage"),
        PickleBytes.text("../9"),
        PickleBytes.text("cpu"), PickleBytes.number(1)) + [0x51]
    let tensor =
      PickleBytes.global("torch._utils", "_rebuild_tensor_v2")
      + PickleBytes.tuple(storage, PickleBytes.number(0), [0x29], [0x29]) + [0x52]
    #expect(
      try message(PickleBytes.dictionary([("w", tensor)]))
        == #"w: storage: expected the member "a/data/../9", found none"#)
  }
}
