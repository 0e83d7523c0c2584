import RecurrentModel
import TensorCore
import TestSupport
import Testing

@testable import ParityFixtures

/// Cases whose tensors or manifest were changed after the export: all that a
/// fixture states is held against itself.
@Suite struct CaseLoaderTests {
  private static func location(_ name: String) -> CaseLocation {
    CaseLocation(name: name, path: Repository.fixtures + "/" + name)
  }

  /// The tensors of a packed GRU, and a manifest without the digest.
  private let tensors: [String: Tensor]
  private let manifest = """
    {"format": "pytorch-parity/1", "module": "GRU",
     "arguments": {"input_size": 3, "hidden_size": 6, "num_layers": 2, "bidirectional": true},
     "packed": {"enforce_sorted": false}}
    """

  init() throws {
    let parityCase = try ParityCase.load(Self.location("gru-packed"))
    let call = try #require(parityCase.chain?.call)
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in call.stateDict.tensors { tensors["state_dict/" + name] = tensor }
    for (name, tensor) in parityCase.reference.named { tensors["outputs/" + name] = tensor }
    tensors["inputs/input"] = call.input.input
    tensors["inputs/h_0"] = call.input.h0
    let lengths = try #require(call.input.packing).lengths.map { Int64($0) }
    tensors["inputs/lengths"] = Tensor(lengths, shape: [lengths.count])
    self.tensors = tensors
  }

  private func subject(
    manifest: String? = nil, _ change: (inout [String: Tensor]) -> Void = { _ in }
  ) throws -> String? {
    var tensors = tensors
    change(&tensors)
    let manifest = try Manifest(parsing: manifest ?? self.manifest)
    do throws(InvalidValue) {
      _ = try ParityCase(Self.location("changed"), manifest, tensors)
      return nil
    } catch {
      return error.name
    }
  }

  private func lengths(_ lengths: Int64...) -> Tensor { Tensor(lengths, shape: [lengths.count]) }

  private func zeros(_ axes: Int...) -> Tensor { zeros(axes) }

  private func zeros(_ axes: [Int]) -> Tensor {
    let shape = Shape(axes)
    return Tensor([Float](repeating: 0, count: shape.elementCount), shape: shape)
  }

  @Test func unchangedItLoads() throws {
    #expect(try subject() == nil)
    #expect(try subject { $0["inputs/h_0"] = nil } == nil)
  }

  @Test(arguments: [
    "state_dict/weight_ih_l0", "state_dict/bias_hh_l1_reverse", "inputs/input", "inputs/lengths",
    "outputs/output", "outputs/h_n",
  ])
  func namesAMissingTensor(name: String) throws {
    #expect(try subject { $0[name] = nil } == name)
  }

  @Test(arguments: [
    "state_dict/weight_ih_l2", "inputs/h0", "inputs/c_0", "outputs/c_n", "weight_ih_l0", "output",
  ])
  func namesAnExtraTensor(name: String) throws {
    #expect(try subject { $0[name] = zeros(4, 5, 6) } == name)
  }

  @Test func namesAWrongShape() throws {
    #expect(try subject { $0["inputs/input"] = zeros(8, 5, 4) } == "inputs/input")
    #expect(try subject { $0["inputs/input"] = zeros(0, 5, 3) } == "inputs/input")
    #expect(try subject { $0["inputs/h_0"] = zeros(4, 3, 6) } == "inputs/h_0")
    #expect(try subject { $0["outputs/output"] = zeros(5, 8, 12) } == "outputs/output")
    #expect(try subject { $0["outputs/h_n"] = zeros(4, 5, 7) } == "outputs/h_n")
  }

  @Test func namesWrongLengths() throws {
    #expect(try subject { $0["inputs/lengths"] = lengths(1, 8, 3, 6) } == "inputs/lengths")
    #expect(try subject { $0["inputs/lengths"] = lengths(1, 8, 3, 6, 0) } == "inputs/lengths")
    #expect(try subject { $0["inputs/lengths"] = lengths(1, 8, 3, 6, 9) } == "inputs/lengths")
    #expect(try subject { $0["inputs/lengths"] = lengths(1, 8, 3, 6, -1) } == "inputs/lengths")
    #expect(try subject { $0["inputs/lengths"] = zeros(5) } == "inputs/lengths")
    // Sound lengths, but of a reference with fewer steps.
    #expect(try subject { $0["inputs/lengths"] = lengths(1, 7, 3, 6, 3) } == "outputs/output")
  }

  @Test func lengthsAndPackedComeTogether() throws {
    let dense = manifest.replacing(#", "packed": {"enforce_sorted": false}"#, with: "")
      .replacing(",\n \"packed\": {\"enforce_sorted\": false}", with: "")
    #expect(try subject(manifest: dense) == "inputs/lengths")
    let sorted = manifest.replacing("false}", with: "true}")
    #expect(try subject(manifest: sorted) == "inputs/lengths")
  }

  @Test func namesMixedElementTypes() throws {
    #expect(
      try subject { $0["inputs/input"] = $0["inputs/input"]?.rounded(to: .float64) }
        == "inputs/h_0")
    #expect(
      try subject {
        $0["inputs/h_0"] = nil
        $0["inputs/input"] = $0["inputs/input"]?.rounded(to: .float64)
      } == "inputs/input")
    #expect(
      try subject { $0["outputs/h_n"] = $0["outputs/h_n"]?.rounded(to: .float64) } == "outputs/h_n")
    #expect(
      try subject {
        $0["outputs/output"] = Tensor([Int64](repeating: 0, count: 480), shape: [8, 5, 12])
      }
        == "outputs/output")
  }

  @Test func aChangedTensorBreaksTheDigest() throws {
    let digest = Digest.crc32(of: tensors)
    let signed = manifest.dropLast() + ", \"digest\": \"\(digest)\"}"
    #expect(try subject(manifest: String(signed)) == nil)
    let changed = try subject(manifest: String(signed)) {
      $0["outputs/h_n"] = zeros(4, 5, 6)
    }
    #expect(changed == "digest")
  }

  @Test func withoutStateDictOnlyTheLayoutIsChecked() throws {
    let outputs = tensors.filter { $0.key.hasPrefix("outputs/") || $0.key == "inputs/lengths" }
    let parityCase = try ParityCase(
      Self.location("layout"), try Manifest(parsing: manifest), outputs)
    #expect(parityCase.chain == nil)
    #expect(parityCase.layouts[0].contract.lengths == [1, 8, 3, 6, 3])
  }

  @Test func impossiblePaddingOfALayoutOnlyCaseIsNamed() throws {
    let outputs = tensors.filter { $0.key.hasPrefix("outputs/") || $0.key == "inputs/lengths" }
    for total in ["3", "9", "9223372036854775807"] {
      let text = manifest.replacing("false}", with: "false, \"total_length\": \(total)}")
      #expect(throws: InvalidValue.self, "\(total)") {
        try ParityCase(Self.location("layout"), try Manifest(parsing: text), outputs)
      }
    }
  }

  @Test func noStepsAreRefusedInALayoutOnlyCaseToo() throws {
    let text = """
      {"format": "pytorch-parity/1", "module": "GRU",
       "arguments": {"input_size": 3, "hidden_size": 2}}
      """
    for axes in [[0, 1, 2], [0, 2]] {
      let tensors = ["outputs/output": zeros(axes), "outputs/h_n": zeros([1] + axes.dropFirst())]
      let error = #expect(throws: InvalidValue.self) {
        try ParityCase(Self.location("none"), try Manifest(parsing: text), tensors)
      }
      #expect(error?.name == "outputs/output" && error?.expected == "at least one step")
    }
  }

  @Test func arithmeticSaysWhatTheModuleComputesIn() throws {
    let text = String(manifest.dropLast()) + ", \"arithmetic\": \"float64\"}"
    let parityCase = try ParityCase(Self.location("wide"), try Manifest(parsing: text), tensors)
    let call = try #require(parityCase.chain?.call)
    #expect(call.arithmetic == .float64)
    #expect(call.stateDict.elementType == .float64)
    #expect(call.input.h0?.elementType == .float64)
  }

  /// Parameters are rounded to what the module computes in, and held in float32.
  @Test func arithmeticOf16BitsRoundsTheParameters() throws {
    let text = String(manifest.dropLast()) + ", \"arithmetic\": \"bfloat16\"}"
    let parityCase = try ParityCase(Self.location("coarse"), try Manifest(parsing: text), tensors)
    let call = try #require(parityCase.chain?.call)
    #expect(call.arithmetic == .bfloat16)
    #expect(call.stateDict.elementType == .float32)
    let name = "weight_ih_l0"
    let expected = tensors["state_dict/" + name]?.elements(as: Float.self).map {
      BFloat16($0).float
    }
    #expect(call.stateDict.tensors[name]?.elements(as: Float.self) == expected)
    #expect(expected != tensors["state_dict/" + name]?.elements(as: Float.self))
  }

  /// What the shapes tell may be left out, and what contradicts them may not be said.
  @Test func argumentsAreToldByTheShapes() throws {
    func arguments(_ json: String, module: String = "GRU") -> String {
      """
      {"format": "pytorch-parity/1", "module": "\(module)", "arguments": {\(json)},
       "packed": {"enforce_sorted": false}}
      """
    }
    let told = try ParityCase(
      Self.location("told"), try Manifest(parsing: arguments("")), tensors)
    #expect(
      try told.layouts[0].configuration
        == RecurrentConfiguration(
          module: .gru, inputSize: 3, hiddenSize: 6, numLayers: 2, bidirectional: true))
    #expect(try subject(manifest: arguments("\"hidden_size\": 7")) == "arguments.hidden_size")
    #expect(try subject(manifest: arguments("\"input_size\": 4")) == "arguments.input_size")
    #expect(
      try subject(manifest: arguments("\"num_layers\": 1")) == "state_dict/bias_hh_l1")
    #expect(
      try subject(manifest: arguments("\"num_layers\": 3")) == "state_dict/weight_ih_l2")
    #expect(
      try subject(manifest: arguments("\"bias\": false")) == "state_dict/bias_hh_l0")
    #expect(
      try subject(manifest: arguments("\"bidirectional\": false"))
        == "state_dict/weight_ih_l1")
    #expect(try subject(manifest: arguments("", module: "RNN")) == "module")
    #expect(try subject(manifest: arguments("", module: "LSTM")) == "module")
  }

  @Test func whatACaseHasNoUseForIsNamed() throws {
    func stating(_ json: String) -> String { String(manifest.dropLast()) + ", \(json)}" }
    let exception = #""tolerance": {"outputs": {"c_n": {"rule": "exact"}}}"#
    #expect(try subject(manifest: stating(exception)) == "tolerance.outputs.c_n")
    let layoutOnly: (inout [String: Tensor]) -> Void = { tensors in
      tensors = tensors.filter { !$0.key.hasPrefix("state_dict/") }
    }
    let arithmetic = stating("\"arithmetic\": \"float16\"")
    #expect(try subject(manifest: arithmetic) == nil)
    #expect(try subject(manifest: arithmetic, layoutOnly) == "arithmetic")
    let output = stating(exception.replacing("c_n", with: "output"))
    #expect(try subject(manifest: output) == nil)
    #expect(try subject(manifest: output, layoutOnly) == "tolerance.outputs.output")
  }

  @Test func aFileWithoutAManifestIsInvalid() throws {
    let path = Repository.samples + "/savez.npz"
    let error = #expect(throws: CaseError.self) {
      try ParityCase.load(CaseLocation(name: "savez", path: path))
    }
    guard case .invalid(path, let value) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(value.name == "manifest")
  }

  @Test func aFileThatIsNotThereIsUnreadable() {
    let error = #expect(throws: CaseError.self) { try ParityCase.load(Self.location("none.npz")) }
    guard case .unreadable = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }
}
