import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// ONNX models, made here field by field, and one that the library `onnx` wrote.
@Suite struct ONNXTests {
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
    let integers = ONNXBytes.field(7, -1) + ONNXBytes.field(7, 300)
    let axes = ONNXBytes.field(1, [1, 2])
    let packed = axes + ONNXBytes.field(2, 1) + floats + ONNXBytes.field(8, "c")
    let archive = try open(
      ONNXBytes.model(
        ONNXBytes.tensor("a", [2], floats), ONNXBytes.tensor("b", [2], type: 7, integers),
        ONNXBytes.field(5, packed))
    )
    #expect(try archive.tensor(named: "a").elements(as: Double.self) == [0.5, -1.5])
    #expect(try archive.tensor(named: "b").integers == [-1, 300])
    #expect(try archive.tensor(named: "c").shape == [1, 2])
  }

  @Test func whatIsNotReadIsNamed() throws {
    let external = ONNXBytes.field(14, 1)
    let archive = try open(
      ONNXBytes.model(
        ONNXBytes.tensor("a", [1], ONNXBytes.raw(4)),
        ONNXBytes.tensor("b", [1], type: 17, ONNXBytes.raw(1)),
        ONNXBytes.tensor("c", [1], external), ONNXBytes.tensor("d", [1], type: 99, ONNXBytes.raw(1))
      )
    )
    #expect(try archive.tensor(named: "a").count == 1)
    for (name, found) in [("b", "FLOAT8E4M3FN"), ("c", "in another; save"), ("d", "type 99")] {
      let error = #expect(throws: ArchiveError.self) { try archive.tensor(named: name) }
      #expect(error?.member == name && "\(error!)".contains("found \(found)"))
    }
  }

  // MARK: - Recurrent nodes

  private func numbers(_ archive: any TensorArchive, _ name: String) throws -> [Double] {
    try archive.tensor(named: name).elements(as: Double.self)
  }

  @Test func theGatesOfAnLSTMAreReordered() throws {
    let archive = try open(ONNXBytes.lstm())
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
    let direction = ONNXBytes.field(1, "direction") + ONNXBytes.field(4, "bidirectional")
    let linear = ONNXBytes.field(1, "linear_before_reset") + ONNXBytes.field(3, 1)
    let bytes = ONNXBytes.model(
      ONNXBytes.tensor("W", [2, 3, 1], ONNXBytes.floats([0, 1, 2, 3, 4, 5])),
      ONNXBytes.tensor("other", [1], ONNXBytes.floats([9])),
      // A weight may be a constant.
      ONNXBytes.field(
        1,
        ONNXBytes.field(2, "R") + ONNXBytes.field(4, "Constant")
          + ONNXBytes.field(
            5,
            ONNXBytes.field(1, "value")
              + ONNXBytes.tensor("", [2, 3, 1], ONNXBytes.floats([6, 7, 8, 9, 10, 11]), as: 5))),
      ONNXBytes.node("GRU", ["X", "W", "R"], name: "", [direction, linear]))
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
    func attribute(_ name: String, _ value: [UInt8]) -> [UInt8] { ONNXBytes.field(1, name) + value }
    let clip: [UInt8] = [2 << 3 | 5, 0, 0, 0x80, 0x3F]
    let gru = ONNXBytes.model(
      ONNXBytes.tensor("W", [1, 3, 1], ONNXBytes.raw(12)),
      ONNXBytes.tensor("R", [1, 3, 1], ONNXBytes.raw(12)),
      ONNXBytes.node("GRU", ["X", "W", "R"]))
    let cases: [([UInt8], String)] = [
      (gru, "linear_before_reset: expected 1, as PyTorch's GRU computes, found 0: the reset gate"),
      (
        ONNXBytes.lstm([attribute("direction", ONNXBytes.field(4, "reverse"))]),
        #"direction: expected forward or bidirectional, found "reverse", which no module"#
      ),
      (ONNXBytes.lstm([attribute("clip", clip)]), "clip: expected none, found one"),
      (
        ONNXBytes.lstm([attribute("input_forget", ONNXBytes.field(3, 1))]),
        "input_forget: expected 0, found 1: coupled gates"
      ),
      (
        ONNXBytes.lstm([
          attribute("activations", ONNXBytes.field(9, "Sigmoid") + ONNXBytes.field(9, "Relu"))
        ]),
        "activations: expected Sigmoid, Tanh, Tanh in each direction, as PyTorch, found Sigmoid, Relu"
      ),
      (
        ONNXBytes.lstm(inputs: ["X", "W", "R", "B", "", "", "", "B"]),
        "input P: expected none, found peepholes"
      ),
      (
        ONNXBytes.lstm(inputs: ["X", "elsewhere", "R"]),
        #"input W: expected a tensor in the file, found "elsewhere", which is computed"#
      ),
      (ONNXBytes.lstm(inputs: ["X", "W"]), "input R: expected a tensor in the file, found none"),
    ]
    for (bytes, expected) in cases {
      let archive = try open(bytes)
      #expect(archive.tensorNames.contains("W") && archive.tensorNames.contains("node"))
      let error = #expect(throws: ArchiveError.self) { try archive.tensor(named: "node") }
      #expect("\(error!)".contains(": node: " + expected), "\(error!)")
    }
  }

  // MARK: - Weights that nodes make

  /// A node that gives the tensor `output`.
  private func node(
    _ operation: String, _ inputs: [String], _ output: String, _ attributes: [[UInt8]] = []
  ) -> [UInt8] {
    ONNXBytes.node(operation, inputs, name: "", attributes, output: output)
  }

  private var alongRows: [UInt8] { ONNXBytes.field(1, "axis") + ONNXBytes.field(3, 0) }

  private func model(_ nodes: [UInt8]...) -> [UInt8] {
    ONNXBytes.model(
      ONNXBytes.tensor("w", [3, 1], ONNXBytes.floats([0, 1, 2])),
      ONNXBytes.tensor("R", [1, 3, 1], ONNXBytes.floats([3, 4, 5])),
      ONNXBytes.tensor("zero", [1], type: 7, ONNXBytes.field(7, 0)),
      ONNXBytes.tensor("two", [1], type: 7, ONNXBytes.field(7, 2)),
      ONNXBytes.tensor("last", [1], type: 7, ONNXBytes.field(7, -1)),
      ONNXBytes.tensor("most", [1], type: 7, ONNXBytes.field(7, .max)),
      ONNXBytes.tensor("scalar", [], type: 7, ONNXBytes.field(7, 1)),
      ONNXBytes.tensor("empty", [.max / 2, 0], ONNXBytes.raw(0)),
      Array(nodes.joined()),
      ONNXBytes.node(
        "GRU", ["X", "W", "R"],
        [ONNXBytes.field(1, "linear_before_reset") + ONNXBytes.field(3, 1)]))
  }

  @Test func weightsMayBeMadeOfSlices() throws {
    let archive = try open(
      model(
        node("Slice", ["w", "last", "most", "zero"], "end"),
        node("Slice", ["w", "zero", "two", "zero"], "start"),
        node("Concat", ["end", "start"], "all", [alongRows]), node("Identity", ["all"], "same"),
        node("Unsqueeze", ["same", "zero"], "W")))
    // 2, 0, 1 in ONNX's order z, r, h.
    #expect(try numbers(archive, "node.weight_ih_l0") == [0, 2, 1])
    #expect(try archive.header(of: "node.weight_ih_l0").shape == [3, 1])
  }

  @Test func whatIsMadeInOtherWaysIsSaid() throws {
    let double = node("Concat", ["W", "W"], "W", [alongRows])
    let huge = node("Concat", Array(repeating: "empty", count: 4), "W", [alongRows])
    let many = (0..<12).flatMap {
      node(
        "Concat", Array(repeating: $0 == 0 ? "w" : "c\($0)", count: 60), "c\($0 + 1)", [alongRows])
    }
    for nodes in [
      double, huge, many + node("Unsqueeze", ["c12", "zero"], "W"),
      node("Concat", ["zero", "scalar"], "W", [alongRows]),
      node("Slice", ["w", "zero", "two", "zero", "computed"], "W"),
      node("MatMul", ["w", "R"], "W"), node("Slice", ["w", "two", "zero", "two"], "W"),
      node("Slice", ["w"], "W"), node("Unsqueeze", [], "W"),
    ] {
      let archive = try open(model(nodes))
      let error = #expect(throws: ArchiveError.self) { try archive.tensor(named: "node") }
      #expect("\(error!)".contains(#"input W: expected a tensor in the file, found "W", which"#))
    }
  }

  /// Names of one branch may be those of another's.
  @Test func branchesMayHaveTensorsOfOneName() throws {
    func branch(_ attribute: String, _ first: Float) -> [UInt8] {
      let graph =
        ONNXBytes.node("LSTM", ["X", "W", "R"], name: attribute)
        + ONNXBytes.tensor("W", [1, 4, 1], ONNXBytes.floats([first, 1, 2, 3]))
        + ONNXBytes.tensor("R", [1, 4, 1], ONNXBytes.raw(16))
      return ONNXBytes.field(1, attribute) + ONNXBytes.field(6, graph)
    }
    let archive = try open(
      ONNXBytes.model(
        ONNXBytes.node("If", ["c"], [branch("then", 7), branch("else", 8)])))
    #expect(try numbers(archive, "then.weight_ih_l0") == [7, 2, 3, 1])
    #expect(try numbers(archive, "else.weight_ih_l0") == [8, 2, 3, 1])
  }

  @Test func graphsInEachOtherHaveALimit() throws {
    var inner = ONNXBytes.node("LSTM", ["X", "W", "R"], name: "inner")
    for _ in 0..<20 {
      inner = ONNXBytes.node(
        "If", ["c"], [ONNXBytes.field(1, "then_branch") + ONNXBytes.field(6, inner)])
    }
    #expect(try message(ONNXBytes.model(inner)).contains("graphs: expected at most 16"))
  }

  @Test func nodesOfOneNameAreToldApart() throws {
    let names = try open(
      ONNXBytes.model(
        ONNXBytes.tensor("W", [1, 4, 1], ONNXBytes.raw(16)),
        ONNXBytes.tensor("R", [1, 4, 1], ONNXBytes.raw(16)),
        ONNXBytes.node("LSTM", ["X", "W", "R"]), ONNXBytes.node("LSTM", ["X", "W", "R"]))
    ).tensorNames
    #expect(names.contains("node.weight_ih_l0") && names.contains("node_1.weight_ih_l0"))
  }

  @Test func anRNNsActivationsMayBeReLU() throws {
    let relu = ONNXBytes.field(1, "activations") + ONNXBytes.field(9, "Relu")
    let bytes = ONNXBytes.model(
      ONNXBytes.tensor("W", [1, 1, 1], ONNXBytes.floats([2])),
      ONNXBytes.tensor("R", [1, 1, 1], ONNXBytes.floats([3])),
      ONNXBytes.node("RNN", ["X", "W", "R"], [relu]))
    let archive = try open(bytes)
    #expect(try numbers(archive, "node.weight_hh_l0") == [3])
  }

  // MARK: - Damage

  @Test func whatContradictsItselfIsOneError() throws {
    let sound = ONNXBytes.tensor("a", [1], ONNXBytes.raw(4))
    let cases: [([UInt8], String)] = [
      (Array("not ONNX".utf8), "expected an ONNX model, found \"not ONNX\""),
      ([], "expected an ONNX model, found an empty file"),
      (
        ONNXBytes.field(1, 8),
        "model: expected a graph and opset_import, found an end before the graph"
      ),
      (
        ONNXBytes.field(1, 8) + ONNXBytes.field(7, sound),
        "model: expected a graph and opset_import, found an end before opset_import"
      ),
      (
        ONNXBytes.field(1, 8) + ONNXBytes.field(7, sound) + ONNXBytes.field(7, sound),
        "model: expected one graph, found two"
      ),
      (ONNXBytes.model(sound, sound), "a: name: expected one tensor of it, found two"),
      (
        ONNXBytes.model(ONNXBytes.tensor("a", [2], ONNXBytes.raw(4))),
        "a: the data of FLOAT (2,): expected 8 bytes, found 4"
      ),
      (
        ONNXBytes.model(ONNXBytes.tensor("a", [2], type: 7, ONNXBytes.field(7, [1, 2, 3]))),
        "a: the data of INT64 (2,): expected 2 numbers, found 3"
      ),
      (
        ONNXBytes.model(
          ONNXBytes.tensor("a", [1], type: 7, ONNXBytes.field(7, [1]) + ONNXBytes.raw(8))),
        "a: the data of INT64 (1,): expected one field, found several"
      ),
      (
        ONNXBytes.model(ONNXBytes.tensor("a", [1 << 40], ONNXBytes.raw(4))),
        "a: the data of FLOAT (1099511627776,): expected 4398046511104 bytes, found 4"
      ),
      (
        ONNXBytes.model(ONNXBytes.tensor("a", [1 << 40, 1 << 40], ONNXBytes.raw(4))),
        "a: dims: expected sizes whose product fits 63 bits, found (1099511627776, 1099511627776)"
      ),
      (
        ONNXBytes.model(ONNXBytes.tensor("a", [-1], ONNXBytes.raw(4))),
        "a: dims: expected sizes whose product fits 63 bits, found (-1,)"
      ),
      (
        ONNXBytes.model(ONNXBytes.tensor("a", Array(repeating: 1, count: 100), ONNXBytes.raw(4))),
        "dims: expected at most 64, found more"
      ),
      (
        ONNXBytes.model(ONNXBytes.tensor("x\u{0}", [1], ONNXBytes.raw(4))),
        #"x\u{0}: name: expected no control characters, found "x\u{0}""#
      ),
      (
        ONNXBytes.model(ONNXBytes.tensor("a/../b", [1], ONNXBytes.raw(4))),
        #"a/../b: name: expected no .. between slashes, found "a/../b""#
      ),
      (
        ONNXBytes.model(
          ONNXBytes.tensor("W", [1, 4, 1], ONNXBytes.raw(16)),
          ONNXBytes.tensor("R", [1, 4, 2], ONNXBytes.raw(32)),
          ONNXBytes.node("LSTM", ["X", "W", "R"])),
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
    let nodes = (0..<3000).flatMap { ONNXBytes.node("RNN", ["X", "W", "R"], name: "n\($0)") }
    let text = try message(
      ONNXBytes.model(
        ONNXBytes.tensor("W", [1, 64, 64], ONNXBytes.raw(16384)),
        ONNXBytes.tensor("R", [1, 64, 64], ONNXBytes.raw(16384)), nodes))
    #expect(text.contains("tensors: expected at most "))
  }

  @Test func everyTruncationIsAnError() throws {
    let folder = try TemporaryFolder()
    let whole = ONNXBytes.lstm()
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
