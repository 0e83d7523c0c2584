import RecurrentModel
import TensorArchives
import TensorCore
import TestSupport
import Testing

@testable import ParityFixtures

/// Weights that stand in a checkpoint under another framework's names.
@Suite struct CheckpointFormTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func archive(_ shapes: KeyValuePairs<String, [Int]>) throws -> CheckpointArchive {
    var tensors: [String: Tensor] = [:]
    for (name, axes) in shapes {
      let shape = Shape(axes)
      tensors[name] = Tensor((0..<shape.elementCount).map { Float($0) }, shape: shape)
    }
    try TensorContainer.write(tensors, to: folder.path + "/m.safetensors")
    return CheckpointArchive(try TensorContainer.open(folder.path + "/m.safetensors"))
  }

  /// One unit and one feature, so that a gate is one number: Keras' z, r, h are 0, 1, 2.
  @Test func aGRUOfKerasIsPutIntoPyTorchsOrder() throws {
    let archive = try archive([
      "layers/gru/cell/vars/0": [1, 3], "layers/gru/cell/vars/1": [1, 3],
      "layers/gru/cell/vars/2": [2, 3], "layers/dense/vars/0": [1, 2],
    ])
    func numbers(_ name: String) throws -> [Double] {
      try archive.tensor(named: "gru." + name).elements()
    }
    #expect(try numbers("weight_ih_l0") == [1, 0, 2])
    #expect(try numbers("bias_ih_l0") == [1, 0, 2])
    #expect(try numbers("bias_hh_l0") == [4, 3, 5])
    #expect(archive.modules.map(\.name) == ["gru"])
    #expect(archive.tensorNames.count == 5)
    #expect(archive.tensorNames.contains("layers/dense/vars/0"))
  }

  @Test func aMatrixOfKerasIsTransposed() throws {
    let archive = try archive([
      "rnn/simple_rnn_cell/kernel:0": [3, 2], "rnn/simple_rnn_cell/recurrent_kernel:0": [2, 2],
    ])
    let weight = try archive.tensor(named: "rnn.weight_ih_l0")
    #expect(weight.shape == [2, 3])
    #expect(weight.elements() == [0, 2, 4, 1, 3, 5])
    #expect(archive.modules.first?.configuration.bias == false)
  }

  @Test(
    arguments: [
      ("layers/lstm/cell/vars/0", "lstm"),
      ("layers/inner/layers/lstm_1/cell/vars/0", "inner.lstm_1"),
      ("encoder/cell/vars/0", "encoder"),
      ("layers/rnn/cell/cells/gru_cell_1/vars/0", "rnn.cell.cells.gru_cell_1"),
      ("model_weights/a/a/lstm_cell/kernel", "a"),
      ("model_weights/a/sequential/a/lstm_cell_3/kernel", "a"),
      ("lstm_1/lstm_1/lstm_cell/kernel:0", "lstm_1"), ("lstm_1/kernel:0", "lstm_1"),
      ("model_weights/inner/lstm/lstm_cell/kernel", "inner.lstm"),
      ("best/model_weights/a/a/lstm_cell/kernel:0", "best.a"),
      ("a/a/stacked_rnn_cells/gru_cell/kernel", "a.stacked_rnn_cells.gru_cell"),
    ] as [(String, String)])
  func aLayersNameIsFound(kernel: String, name: String) {
    #expect(KerasPlace(kernel: kernel)?.words.joined(separator: ".") == name)
  }

  @Test(arguments: ["optimizer/vars/0", "a/vars/1", "a/kernels", "optimizer_weights/a/kernel:0"])
  func otherNamesAreNone(name: String) {
    #expect(KerasPlace(kernel: name) == nil)
  }

  /// Two layers of one name keep the folders that they stand in.
  @Test func twoLayersOfOneNameAreTold() throws {
    let archive = try archive([
      "a/layers/rnn/cell/vars/0": [3, 2], "a/layers/rnn/cell/vars/1": [2, 2],
      "a/rnn/cell/vars/0": [3, 2], "a/rnn/cell/vars/1": [2, 2],
    ])
    #expect(archive.modules.map(\.name) == ["a.layers.rnn.cell.vars", "a.rnn.cell.vars"])
  }

  /// Two directions that no module of PyTorch has.
  @Test func directionsThatDifferAreRefused() throws {
    let archive = try archive([
      "b/forward_layer/cell/vars/0": [3, 8], "b/forward_layer/cell/vars/1": [2, 8],
      "b/backward_layer/cell/vars/0": [3, 4], "b/backward_layer/cell/vars/1": [1, 4],
    ])
    #expect(archive.modules.isEmpty && archive.refusedNames == ["b"])
    let error = #expect(throws: ArchiveError.self) { try archive.header(of: "b") }
    #expect("\(error.map { "\($0.reason)" } ?? "")".contains("the shapes of the forward one"))
  }

  @Test func aGRUOfMLXHasABiasOfTheLastGate() throws {
    let archive = try archive(["g.Wx": [3, 2], "g.Wh": [3, 1], "g.b": [3], "g.bhn": [1]])
    #expect(try archive.tensor(named: "g.bias_hh_l0").elements() == [0, 0, 0])
    #expect(try archive.tensor(named: "g.bias_ih_l0").elements() == [0, 1, 2])
    #expect(archive.modules.map(\.prefix) == ["g."])
  }
}
