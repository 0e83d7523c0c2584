import RecurrentModel
import TensorCore
import TestSupport
import Testing

@testable import ParityFixtures

/// A chain whose manifest or tensors were changed after the export.
@Suite struct ChainLoadingTests {
  private let location = CaseLocation(
    name: "sequential-gru-classifier",
    path: Repository.fixtures + "/sequential-gru-classifier")
  private let given: [String: Tensor]

  init() throws { given = try FixtureContents(location).tensors() }

  private static let embedding =
    #"{"name": "word_embeddings", "module": "Embedding", "arguments": {"padding_idx": 0}}"#
  private static let gru =
    #"{"name": "bigru", "module": "GRU", "select": "h_n", "#
    + #""arguments": {"batch_first": true, "bidirectional": true}}"#
  private static let merge =
    #"{"name": "merge", "module": "DirectionMerge", "arguments": {"mode": "concat"}}"#
  private static let linear = #"{"name": "hidden2tag", "module": "Linear"}"#
  private static let softmax =
    #"{"name": "softmax", "module": "LogSoftmax", "arguments": {"dim": 1}}"#

  private static func manifest(_ modules: [String], _ more: String = "") -> String {
    """
    {"format": "pytorch-parity/1", "module": "Sequential",
     "modules": [\(modules.joined(separator: ", "))]\(more)}
    """
  }

  private static let whole = manifest([embedding, gru, merge, linear, softmax])

  /// Subject, then what was expected and found; nil where it loads.
  private func error(
    _ manifest: String? = nil, _ change: (inout [String: Tensor]) -> Void = { _ in }
  ) -> String? {
    var tensors = given
    change(&tensors)
    do throws(InvalidValue) {
      _ = try ParityCase(location, Manifest(parsing: manifest ?? Self.whole), tensors)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func unchangedItLoadsAndTheShapesTellTheRest() throws {
    #expect(error() == nil)
    let parityCase = try ParityCase(
      location, Manifest(parsing: Self.whole), given)
    #expect(parityCase.chain?.modules.first?.className == "Embedding")
    #expect(parityCase.reference.names.last == "output")
  }

  @Test(arguments: [
    (#"{"name": "a", "module": "Conv1d"}"#, "modules[0].module: expected one of Embedding"),
    (#"{"name": "a", "module": "LSTMCell"}"#, "modules[0].module: expected one of Embedding"),
    (#"{"module": "Linear"}"#, "modules[0].name: expected a name, found none"),
    (#"{"name": "", "module": "Linear"}"#, "modules[0].name: expected a name without dots"),
    (#"{"name": "a.b", "module": "Linear"}"#, "modules[0].name: expected a name without dots"),
    (#"{"name": "a", "module": "Linear", "select": "h_n"}"#, "modules[0].select: expected none"),
    (#"{"name": "a", "module": "Linear", "x": 1}"#, "modules[0].x: expected one of the keys"),
    (
      #"{"name": "a", "module": "Linear", "arguments": {"in": 1}}"#,
      "modules[0].arguments.in: expected one of the keys"
    ),
    (#"{"name": "a", "module": "DirectionMerge"}"#, "modules[0].arguments.mode: expected a mode"),
    (
      #"{"name": "a", "module": "DirectionMerge", "arguments": {"mode": "max"}}"#,
      "modules[0].arguments.mode: expected one of concat, sum, mul, ave"
    ),
    (#"{"name": "a", "module": "Softmax"}"#, "modules[0].arguments.dim: expected an axis"),
    (
      #"{"name": "a", "module": "GRU", "select": "last"}"#,
      "modules[0].select: expected one of output, h_n"
    ),
    ("3", "modules[0]: expected an object, found 3"),
  ])
  func whatAModuleStatesIsChecked(module: String, message: String) {
    let found = error(Self.manifest([module]))
    #expect(found?.hasPrefix(message) == true, "\(found ?? "it loads")")
  }

  @Test(arguments: [
    (manifest([]), "modules: expected at least one module, found an empty array"),
    (
      manifest(Array(repeating: linear, count: 257)),
      "modules: expected at most 256 modules, found 257"
    ),
    (manifest([linear, linear]), "modules[1].name: expected a name of its own"),
    (manifest([linear], #", "arguments": {}"#), "arguments: expected none for Sequential"),
    (
      #"{"format": "pytorch-parity/1", "module": "Sequential"}"#,
      "modules: expected at least one module, found none"
    ),
    (
      #"{"format": "pytorch-parity/1", "module": "LSTM", "modules": []}"#,
      "modules: expected none but for Sequential"
    ),
    (
      #"{"format": "pytorch-parity/1", "module": "Transformer"}"#,
      "module: expected one of LSTM, GRU, RNN, LSTMCell, GRUCell, RNNCell, Sequential"
    ),
  ])
  func whatTheManifestStatesIsChecked(manifest: String, message: String) {
    let found = error(manifest)
    #expect(found?.hasPrefix(message) == true, "\(found ?? "it loads")")
  }

  private static func chain(
    _ embedding: String = embedding, _ gru: String = gru, _ merge: String = merge,
    _ linear: String = linear, _ softmax: String = softmax
  ) -> String {
    manifest([embedding, gru, merge, linear, softmax])
  }

  @Test(arguments: [
    (
      chain(embedding.replacing(": 0", with: ": 20")),
      "word_embeddings.padding_idx: expected a row of 20, found 20"
    ),
    (
      chain(embedding.replacing(": 0", with: ": 9223372036854775807")),
      "word_embeddings.padding_idx: expected a row of 20"
    ),
    (
      chain(embedding.replacing("padding_idx\": 0", with: "num_embeddings\": 21")),
      "word_embeddings.num_embeddings: expected 20, as state_dict/word_embeddings.weight (20, 5)"
    ),
    (
      chain(embedding, gru.replacing("true}", with: "true, \"hidden_size\": 7}")),
      "bigru: arguments.hidden_size: expected 6, as state_dict/weight_hh_l0"
    ),
    (
      chain(
        embedding, gru, merge, linear.replacing("}", with: ", \"arguments\": {\"bias\": false}}")),
      "state_dict/hidden2tag.bias: expected no such parameter in this module"
    ),
    (
      chain(embedding, gru, merge.replacing("concat", with: "sum")),
      "the input of hidden2tag: expected a last axis of 12, found (4, 6)"
    ),
    (
      chain(embedding, gru, merge, linear, softmax.replacing("1}", with: "2}")),
      "softmax.dim: expected an axis of (4, 3), found 2"
    ),
    (
      chain(embedding, gru, merge, linear, softmax.replacing("1}", with: "9223372036854775807}")),
      "softmax.dim: expected an axis of (4, 3)"
    ),
    (
      chain(embedding, gru, merge, linear, softmax.replacing("1}", with: "-9223372036854775808}")),
      "softmax.dim: expected an axis of (4, 3)"
    ),
    (
      manifest([embedding, merge, gru, linear, softmax]),
      "the input of merge: expected what a bidirectional module returns"
    ),
    (
      manifest([embedding, gru, merge, linear, softmax], #", "digest": "crc32:00000000""#),
      "digest: expected crc32:00000000, as the manifest states"
    ),
    (
      manifest(
        [embedding, gru, merge, linear, softmax],
        #", "tolerance": {"outputs": {"x.output": {"rule": "torch"}}}"#),
      "tolerance.outputs.x.output: expected one of word_embeddings.output"
    ),
  ])
  func whatContradictsTheTensorsIsSaid(manifest: String, message: String) {
    let found = error(manifest)
    #expect(found?.hasPrefix(message) == true, "\(found ?? "it loads")")
  }

  private static func floats(_ axes: Int...) -> Tensor {
    let shape = Shape(axes)
    return Tensor([Float](repeating: 0.5, count: shape.elementCount), shape: shape)
  }

  private static func integers(_ numbers: Int64...) -> Tensor {
    Tensor(numbers, shape: [1, numbers.count])
  }

  @Test(arguments: [
    ("state_dict/hidden2tag.weight", nil, "state_dict/hidden2tag.weight: expected a tensor"),
    ("state_dict/hidden2tag.weight", floats(3), "state_dict/hidden2tag.weight: expected floats on"),
    (
      "state_dict/hidden2tag.bias", floats(4), "state_dict/hidden2tag.bias: expected the shape (3,)"
    ),
    ("state_dict/hidden2tag.x", floats(4), "state_dict/hidden2tag.x: expected no such parameter"),
    ("state_dict/other.weight", floats(4), "state_dict/other.weight: expected parameters of the"),
    ("state_dict/bigru.weight_ih_l0", nil, "bigru: "),
    ("state_dict/bigru.bias_hh_l0", floats(3), "bigru: state_dict/bias_hh_l0: expected the shape"),
    (
      "state_dict/word_embeddings.weight",
      Tensor([Double](repeating: 0, count: 100), shape: [20, 5]),
      "state_dict/word_embeddings.weight: expected float32, as bigru.bias_hh_l0, found float64"
    ),
    ("inputs/input", nil, "inputs/input: expected a tensor"),
    ("inputs/input", floats(4, 7), "inputs/input: expected int64 or int32, for an Embedding"),
    ("inputs/input", integers(1, 20), "inputs/input: expected indices from 0 to 19, found 20"),
    ("inputs/input", integers(1, -1), "inputs/input: expected indices from 0 to 19, found -1"),
    ("inputs/input", integers(.min), "inputs/input: expected indices from 0 to 19"),
    ("inputs/h_0", floats(2, 3, 6), "inputs/h_0: expected the shape (2, 4, 6), found (2, 3, 6)"),
    ("inputs/c_0", floats(2, 4, 6), "inputs/c_0: expected none, for GRU"),
    (
      "inputs/h_0", Tensor([Double](repeating: 0, count: 48), shape: [2, 4, 6]),
      "inputs/h_0: expected float32, as state_dict, found float64"
    ),
    ("inputs/lengths", integers(1), "inputs/lengths: expected packed in the manifest"),
    ("outputs/output", nil, "outputs/output: expected a tensor"),
    ("outputs/output", floats(4, 4), "outputs/output: expected the shape (4, 3), found (4, 4)"),
    ("outputs/bigru.h_n", floats(4, 2, 6), "outputs/bigru.h_n: expected the shape (2, 4, 6)"),
    ("outputs/bigru.c_n", floats(2, 4, 6), "outputs/bigru.c_n: expected no such tensor"),
    ("outputs/x.output", floats(1), "outputs/x.output: expected no such tensor"),
  ])
  func tensorsAreHeldToTheModules(name: String, tensor: Tensor?, message: String) {
    let found = error { $0[name] = tensor }
    #expect(found?.hasPrefix(message) == true, "\(found ?? "it loads")")
  }

  /// Sizes that only a file would state: an empty tensor can have an axis of any size.
  @Test func shapesThatOverflowAreRefused() throws {
    func error(_ module: String, _ tensors: [String: Tensor]) throws -> String? {
      let manifest = try Manifest(parsing: Self.manifest([module]))
      do throws(InvalidValue) {
        _ = try ParityCase(location, manifest, tensors)
        return nil
      } catch {
        return "\(error)"
      }
    }
    func empty(_ axes: Int...) -> Tensor { Tensor([] as [Float], shape: Shape(axes)) }
    let linear = try error(
      #"{"name": "l", "module": "Linear"}"#,
      [
        "state_dict/l.weight": empty(1 << 62, 0), "inputs/input": empty(4, 0),
        "outputs/output": empty(0),
      ])
    #expect(linear?.hasPrefix("the output of l: expected at most 2^30 elements") == true)
    let embedding = try error(
      #"{"name": "e", "module": "Embedding"}"#,
      [
        "state_dict/e.weight": empty(0, 1 << 62),
        "inputs/input": Tensor([] as [Int64], shape: [4, 0]), "outputs/output": empty(0),
      ])
    #expect(embedding?.hasPrefix("the output of e: expected at most 2^30 elements") == true)
  }

  /// A chain that starts with numbers takes no indices.
  @Test func indicesAreForEmbeddingsAlone() throws {
    let found = error(Self.manifest([Self.gru, Self.merge, Self.linear, Self.softmax])) {
      $0["state_dict/word_embeddings.weight"] = nil
      $0["outputs/word_embeddings.output"] = nil
    }
    #expect(
      found?.hasPrefix("inputs/input: expected floats, for GRU, found int64") == true,
      "\(found ?? "")")
  }
}
