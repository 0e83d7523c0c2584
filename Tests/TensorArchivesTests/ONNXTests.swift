import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// ONNX models, made here field by field, and one that the library `onnx` wrote.
@Suite struct ONNXTests {
  // MARK: - Protobuf

  private static func number(_ value: UInt64) -> [UInt8] {
    var (rest, bytes) = (value, [UInt8]())
    repeat {
      bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
      rest >>= 7
    } while rest > 0
    return bytes
  }

  private static func field(_ field: Int, _ value: Int) -> [UInt8] {
    number(UInt64(field) << 3) + number(UInt64(bitPattern: Int64(value)))
  }

  private static func field(_ field: Int, _ bytes: [UInt8]) -> [UInt8] {
    number(UInt64(field) << 3 | 2) + number(UInt64(bytes.count)) + bytes
  }

  private static func field(_ number: Int, _ text: String) -> [UInt8] {
    field(number, Array(text.utf8))
  }

  // MARK: - Models

  /// An initialiser, or with another field number a constant.
  private static func tensor(
    _ name: String, _ axes: [Int], type: Int = 1, _ data: [UInt8], as field: Int = 5
  ) -> [UInt8] {
    Self.field(
      field,
      axes.flatMap { Self.field(1, $0) } + Self.field(2, type) + data + Self.field(8, name))
  }

  private static func raw(_ bytes: Int) -> [UInt8] {
    field(9, [UInt8](repeating: 0, count: bytes))
  }

  /// The numbers from `start` on as float32.
  private static func floats(_ numbers: [Float]) -> [UInt8] {
    field(
      9, numbers.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 0xFF) } })
  }

  private static func node(
    _ operation: String, _ inputs: [String], name: String = "node", _ attributes: [[UInt8]] = []
  ) -> [UInt8] {
    field(
      1,
      inputs.flatMap { field(1, $0) } + field(3, name) + field(4, operation)
        + attributes.flatMap { field(5, $0) })
  }

  private static func model(_ graph: [UInt8]...) -> [UInt8] {
    field(1, 8) + field(7, Array(graph.joined())) + field(8, field(2, 17))
  }

  /// A small file is read as a whole when it is opened, and may be gone then.
  private func open(_ bytes: [UInt8]) throws -> any TensorArchive {
    let folder = try TemporaryFolder()
    return try TensorContainer.open(try folder.write(bytes, to: "a.onnx"))
  }

  private func message(_ bytes: [UInt8]) throws -> String {
    let folder = try TemporaryFolder()
    let error = try #require(Sample.error(try folder.write(bytes, to: "a.onnx")))
    return String("\(error)".dropFirst(error.path.count + 2))
  }

  // MARK: - Tensors

  @Test func readsWhatONNXWrites() throws {
    let archive = try Sample.open("all.onnx")
    for name in ["raw", "typed", "double", "half", "typed-half", "typed-bfloat16", "typed-double"] {
      let tensor = try archive.tensor(named: name)
      #expect(tensor.elements(as: Double.self) == Sample.eighths && tensor.shape == Sample.shape)
    }
    #expect(try archive.header(of: "typed-half").elementType == .float16)
    #expect(try archive.header(of: "typed-bfloat16").elementType == .bfloat16)
    for name in ["int64", "typed-int64", "int32", "typed-int32", "int8", "typed-int8", "int16"] {
      #expect(try archive.tensor(named: name).integers == Sample.integers, "\(name)")
    }
    #expect(try archive.tensor(named: "bool").integers == [1, 0, 1])
    #expect(try archive.tensor(named: "scalar").shape == [])
    #expect(try archive.tensor(named: "empty").shape == [0, 3])
    #expect(try archive.manifest() == nil)
  }

  @Test func numbersMayStandOneByOne() throws {
    let floats: [UInt8] = [4 << 3 | 5, 0, 0, 0, 0x3F, 4 << 3 | 5, 0, 0, 0xC0, 0xBF]
    let integers = Self.field(7, -1) + Self.field(7, 300)
    let axes = Self.field(1, [1, 2])
    let packed = axes + Self.field(2, 1) + floats + Self.field(8, "c")
    let archive = try open(
      Self.model(
        Self.tensor("a", [2], floats), Self.tensor("b", [2], type: 7, integers),
        Self.field(5, packed))
    )
    #expect(try archive.tensor(named: "a").elements(as: Double.self) == [0.5, -1.5])
    #expect(try archive.tensor(named: "b").integers == [-1, 300])
    #expect(try archive.tensor(named: "c").shape == [1, 2])
  }

  @Test func whatIsNotReadIsNamed() throws {
    let external = Self.field(14, 1)
    let archive = try open(
      Self.model(
        Self.tensor("a", [1], Self.raw(4)), Self.tensor("b", [1], type: 17, Self.raw(1)),
        Self.tensor("c", [1], external), Self.tensor("d", [1], type: 99, Self.raw(1)))
    )
    #expect(try archive.tensor(named: "a").count == 1)
    for (name, found) in [("b", "FLOAT8E4M3FN"), ("c", "in another; save"), ("d", "type 99")] {
      let error = #expect(throws: ArchiveError.self) { try archive.tensor(named: name) }
      #expect(error?.member == name && "\(error!)".contains("found \(found)"))
    }
  }

  // MARK: - Recurrent nodes

  /// W holds 0, 1, 2, …: one number a gate for a hidden size of 1.
  private static func lstm(
    _ attributes: [[UInt8]] = [], name: String = "node", inputs: [String] = ["X", "W", "R", "B"]
  ) -> [UInt8] {
    model(
      tensor("W", [1, 4, 1], floats([0, 1, 2, 3])), tensor("R", [1, 4, 1], floats([4, 5, 6, 7])),
      tensor("B", [1, 8], floats((8..<16).map(Float.init))),
      node("LSTM", inputs, name: name, attributes))
  }

  private func numbers(_ archive: any TensorArchive, _ name: String) throws -> [Double] {
    try archive.tensor(named: name).elements(as: Double.self)
  }

  @Test func theGatesOfAnLSTMAreReordered() throws {
    let archive = try open(Self.lstm())
    #expect(
      archive.tensorNames == [
        "node.bias_hh_l0", "node.bias_ih_l0", "node.weight_hh_l0", "node.weight_ih_l0",
      ])
    #expect(try archive.header(of: "node.weight_ih_l0").shape == [4, 1])
    #expect(try numbers(archive, "node.weight_ih_l0") == [0, 2, 3, 1])
    #expect(try numbers(archive, "node.weight_hh_l0") == [4, 6, 7, 5])
    #expect(try numbers(archive, "node.bias_ih_l0") == [8, 10, 11, 9])
    #expect(try numbers(archive, "node.bias_hh_l0") == [12, 14, 15, 13])
  }

  @Test func theGatesOfABidirectionalGRUAreReordered() throws {
    let direction = Self.field(1, "direction") + Self.field(4, "bidirectional")
    let linear = Self.field(1, "linear_before_reset") + Self.field(3, 1)
    let bytes = Self.model(
      Self.tensor("W", [2, 3, 1], Self.floats([0, 1, 2, 3, 4, 5])),
      Self.tensor("other", [1], Self.floats([9])),
      // A weight may be a constant.
      Self.field(
        1,
        Self.field(2, "R") + Self.field(4, "Constant")
          + Self.field(
            5,
            Self.field(1, "value")
              + Self.tensor("", [2, 3, 1], Self.floats([6, 7, 8, 9, 10, 11]), as: 5))),
      Self.node("GRU", ["X", "W", "R"], name: "", [direction, linear]))
    let archive = try open(bytes)
    #expect(
      archive.tensorNames == [
        "GRU_0.weight_hh_l0", "GRU_0.weight_hh_l0_reverse", "GRU_0.weight_ih_l0",
        "GRU_0.weight_ih_l0_reverse", "other",
      ])
    #expect(try numbers(archive, "GRU_0.weight_ih_l0") == [1, 0, 2])
    #expect(try numbers(archive, "GRU_0.weight_ih_l0_reverse") == [4, 3, 5])
    #expect(try numbers(archive, "GRU_0.weight_hh_l0_reverse") == [10, 9, 11])
  }

  /// The weights stay as they are, and the node is an entry that says why.
  @Test func whatPyTorchDoesNotComputeIsSaid() throws {
    func attribute(_ name: String, _ value: [UInt8]) -> [UInt8] { Self.field(1, name) + value }
    let clip: [UInt8] = [2 << 3 | 5, 0, 0, 0x80, 0x3F]
    let gru = Self.model(
      Self.tensor("W", [1, 3, 1], Self.raw(12)), Self.tensor("R", [1, 3, 1], Self.raw(12)),
      Self.node("GRU", ["X", "W", "R"]))
    let cases: [([UInt8], String)] = [
      (gru, "linear_before_reset: expected 1, as PyTorch's GRU computes, found 0: the reset gate"),
      (
        Self.lstm([attribute("direction", Self.field(4, "reverse"))]),
        #"direction: expected forward or bidirectional, found "reverse", which no module"#
      ),
      (Self.lstm([attribute("clip", clip)]), "clip: expected none, found one"),
      (
        Self.lstm([attribute("input_forget", Self.field(3, 1))]),
        "input_forget: expected 0, found 1: coupled gates"
      ),
      (
        Self.lstm([attribute("activations", Self.field(9, "Sigmoid") + Self.field(9, "Relu"))]),
        "activations: expected Sigmoid, Tanh, Tanh in each direction, as PyTorch, found Sigmoid, Relu"
      ),
      (
        Self.lstm(inputs: ["X", "W", "R", "B", "", "", "", "B"]),
        "input P: expected none, found peepholes"
      ),
      (
        Self.lstm(inputs: ["X", "elsewhere", "R"]),
        #"input W: expected a tensor in the file, found "elsewhere", which is computed"#
      ),
      (Self.lstm(inputs: ["X", "W"]), "input R: expected a tensor in the file, found none"),
    ]
    for (bytes, expected) in cases {
      let archive = try open(bytes)
      #expect(archive.tensorNames.contains("W") && archive.tensorNames.contains("node"))
      let error = #expect(throws: ArchiveError.self) { try archive.tensor(named: "node") }
      #expect("\(error!)".contains(": node: " + expected), "\(error!)")
    }
  }

  @Test func anRNNsActivationsMayBeReLU() throws {
    let relu = Self.field(1, "activations") + Self.field(9, "Relu")
    let bytes = Self.model(
      Self.tensor("W", [1, 1, 1], Self.floats([2])), Self.tensor("R", [1, 1, 1], Self.floats([3])),
      Self.node("RNN", ["X", "W", "R"], [relu]))
    let archive = try open(bytes)
    #expect(try numbers(archive, "node.weight_hh_l0") == [3])
  }

  // MARK: - Damage

  @Test func whatContradictsItselfIsOneError() throws {
    let sound = Self.tensor("a", [1], Self.raw(4))
    let cases: [([UInt8], String)] = [
      (Array("not ONNX".utf8), "expected an ONNX model, found \"not ONNX\""),
      ([], "expected an ONNX model, found an empty file"),
      (Self.field(1, 8), "model: expected a graph and opset_import, found an end before the graph"),
      (
        Self.field(1, 8) + Self.field(7, sound),
        "model: expected a graph and opset_import, found an end before opset_import"
      ),
      (
        Self.field(1, 8) + Self.field(7, sound) + Self.field(7, sound),
        "model: expected one graph, found two"
      ),
      (Self.model(sound, sound), "a: name: expected one tensor of it, found two"),
      (
        Self.model(Self.tensor("a", [2], Self.raw(4))),
        "a: the data of FLOAT (2,): expected 8 bytes, found 4"
      ),
      (
        Self.model(Self.tensor("a", [2], type: 7, Self.field(7, [1, 2, 3]))),
        "a: the data of INT64 (2,): expected 2 numbers, found 3"
      ),
      (
        Self.model(Self.tensor("a", [1], type: 7, Self.field(7, [1]) + Self.raw(8))),
        "a: the data of INT64 (1,): expected one field, found several"
      ),
      (
        Self.model(Self.tensor("a", [1 << 40], Self.raw(4))),
        "a: the data of FLOAT (1099511627776,): expected 4398046511104 bytes, found 4"
      ),
      (
        Self.model(Self.tensor("a", [1 << 40, 1 << 40], Self.raw(4))),
        "a: dims: expected sizes whose product fits 63 bits, found (1099511627776, 1099511627776)"
      ),
      (
        Self.model(Self.tensor("a", [-1], Self.raw(4))),
        "a: dims: expected sizes whose product fits 63 bits, found (-1,)"
      ),
      (
        Self.model(Self.tensor("a", Array(repeating: 1, count: 100), Self.raw(4))),
        "dims: expected at most 64, found more"
      ),
      (
        Self.model(Self.tensor("x\u{0}", [1], Self.raw(4))),
        #"x\u{0}: name: expected no control characters, found "x\u{0}""#
      ),
      (
        Self.model(Self.tensor("a/../b", [1], Self.raw(4))),
        #"a/../b: name: expected no .. between slashes, found "a/../b""#
      ),
      (
        Self.model(
          Self.tensor("W", [1, 4, 1], Self.raw(16)), Self.tensor("R", [1, 4, 2], Self.raw(32)),
          Self.node("LSTM", ["X", "W", "R"])),
        "node: weights: expected W (1, 4·H, I), R (1, 4·H, H) and B (1, 8·H), "
          + "found (1, 4, 1), (1, 4, 2)"
      ),
      (
        [0x08] + [UInt8](repeating: 0xFF, count: 11),
        "the model: expected a number of at most 64 bits, found more"
      ),
      ([0x08, 1, 0x03], "the model: expected a field, found the number 0"),
      ([0x08, 1, 0x3B], "the model: expected a field of the kinds 0, 1, 2 or 5, found kind 3"),
      (
        [0x08, 1, 0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
        "the model is cut off: expected 4294967295 bytes, found 0"
      ),
    ]
    for (bytes, expected) in cases { #expect(try message(bytes) == expected) }
  }

  /// Many nodes with the same weights would be many times the file.
  @Test func sharedWeightsDoNotFillTheMemory() throws {
    let nodes = (0..<3000).flatMap { Self.node("RNN", ["X", "W", "R"], name: "n\($0)") }
    let text = try message(
      Self.model(
        Self.tensor("W", [1, 64, 64], Self.raw(16384)),
        Self.tensor("R", [1, 64, 64], Self.raw(16384)), nodes))
    #expect(text.contains("tensors: expected at most "))
  }

  @Test func everyTruncationIsAnError() throws {
    let folder = try TemporaryFolder()
    let whole = Self.lstm()
    for length in 0..<whole.count {
      let path = try folder.write(whole.prefix(length), to: "cut.onnx")
      #expect(Sample.error(path) != nil, "cut to \(length) bytes")
    }
  }

  @Test func noDamagedByteCrashes() throws {
    let folder = try TemporaryFolder()
    let whole = try bytes(of: Sample.path("all.onnx"))
    var errors = 0
    for offset in stride(from: 0, to: whole.count, by: 2) {
      for flip in [UInt8(0x01), 0x40, 0xFF] {
        var damaged = whole
        damaged[offset] ^= flip
        if Sample.error(try folder.write(damaged, to: "damaged.onnx")) != nil { errors += 1 }
      }
    }
    #expect(errors > 200)
  }
}
