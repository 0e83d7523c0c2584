import RecurrentModel
import TensorComparison
import TensorCore
import Testing

@testable import ParityFixtures

@Suite struct ManifestTests {
  /// The smallest manifest, with one key set to some JSON, or left out.
  private func manifest(_ key: String = "description", _ json: String? = "\"\"") -> String {
    var keys = [
      "format": "\"pytorch-parity/1\"", "module": "\"LSTM\"",
      "arguments": "{\"input_size\": 5, \"hidden_size\": 6}",
    ]
    keys[key] = json
    return "{" + keys.sorted { $0.key < $1.key }.map { "\"\($0)\": \($1)" }.joined(separator: ", ")
      + "}"
  }

  private let nothing = InferredArguments(parameters: [:], input: nil, outputs: [:])

  private func subject(_ key: String, _ json: String?) -> String? {
    do {
      _ = try Manifest(parsing: manifest(key, json))
      return nil
    } catch {
      return error.name
    }
  }

  @Test func argumentsHavePyTorchsDefaults() throws {
    let manifest = try Manifest(parsing: manifest())
    let defaults = try RecurrentConfiguration(module: .lstm, inputSize: 5, hiddenSize: 6)
    #expect(try manifest.moduleArguments.configuration(with: nothing) == defaults)
    #expect(manifest.packed == nil && manifest.arithmetic == nil)
    #expect(manifest.tolerance == .standard)
    #expect(manifest.expectedFailure == nil && manifest.digest == nil)
  }

  @Test func readsEveryKey() throws {
    let manifest = try Manifest(
      parsing: """
        {"format": "pytorch-parity/1", "module": "LSTM",
         "arguments": {"input_size": 5, "hidden_size": 6, "num_layers": 2, "bias": false,
                       "batch_first": true, "dropout": 0.5, "bidirectional": true, "proj_size": 3},
         "packed": {"enforce_sorted": false, "total_length": 9},
         "arithmetic": "float64",
         "tolerance": {"rule": "exact", "outputs": {"c_n": {"rtol": 1e-5, "atol": 0}}},
         "expected_failure": "a reason", "description": "words",
         "provenance": {"anything": [1, null, {}]}, "digest": "crc32:00000000"}
        """)
    #expect(
      try manifest.moduleArguments.configuration(with: nothing)
        == RecurrentConfiguration(
          module: .lstm, inputSize: 5, hiddenSize: 6, numLayers: 2, bias: false, batchFirst: true,
          bidirectional: true, projSize: 3))
    #expect(manifest.packed == .init(enforceSorted: false, totalLength: 9))
    #expect(manifest.arithmetic == .float64)
    #expect(manifest.tolerance.rule(for: "output") == .exact)
    #expect(manifest.tolerance.rule(for: "c_n") == .explicit(rtol: 1e-5, atol: 0))
    #expect(manifest.expectedFailure == ExpectedFailure("a reason"))
    let noise = try Manifest(
      parsing: self.manifest("tolerance", #"{"rule": "noise", "sigma": 5, "replicas": 32}"#))
    #expect(noise.tolerance.rule == .noise(largestZ: 5, replicas: 32))
    #expect(CaseTolerance.standard.rule(for: "h_n") == .standardNoise)
  }

  @Test(
    arguments: [
      ("format", nil, "format"), ("format", "\"pytorch-parity/2\"", "format"),
      ("format", "1", "format"), ("module", nil, "module"), ("module", "\"Transformer\"", "module"),
      ("module", "7", "module"), ("arguments", "[]", "arguments"),
      ("arguments", "{\"nonlinearity\": \"tanh\"}", "arguments.nonlinearity"),
      ("tensors", "[]", "tensors"), ("tensors", "{\"weights\": {}}", "tensors.weights"),
      ("tensors", "{\"state_dict\": {}}", "tensors.state_dict.file"),
      ("tensors", "{\"inputs\": {\"file\": \"\"}}", "tensors.inputs.file"),
      ("tensors", "{\"inputs\": {\"path\": \"a\"}}", "tensors.inputs.path"),
      ("digest", "\"1c291ca3\"", "digest"), ("digest", "\"crc32:1C291CA\"", "digest"),
      ("arguments", "{\"input_size\": 5.5, \"hidden_size\": 6}", "arguments.input_size"),
      ("arguments", "{\"input_size\": \"5\", \"hidden_size\": 6}", "arguments.input_size"),
      ("arguments", "{\"input_size\": 1e99, \"hidden_size\": 6}", "arguments.input_size"),
      ("arguments", "{\"input_size\": 5, \"hiden_size\": 6}", "arguments.hiden_size"),
      ("arguments", "{\"input_size\": 5, \"hidden_size\": 6, \"bias\": 1}", "arguments.bias"),
      ("arguments", "{\"input_size\": 5, \"hidden_size\": 6, \"dropout\": 2}", "arguments.dropout"),
      ("packed", "true", "packed"), ("packed", "{\"sorted\": true}", "packed.sorted"),
      ("arithmetic", "\"float8\"", "arithmetic"), ("arithmetic", "\"int64\"", "arithmetic"),
      ("tolerance", "1e-5", "tolerance"), ("tolerance", "{\"rule\": \"loose\"}", "tolerance.rule"),
      ("tolerance", "{\"rule\": \"noise\", \"replicas\": 8}", "tolerance.replicas"),
      ("tolerance", "{\"rule\": \"noise\", \"sigma\": -1}", "tolerance.sigma"),
      ("tolerance", "{\"rule\": \"torch\", \"sigma\": 8}", "tolerance.sigma"),
      ("tolerance", "{\"sigma\": 8}", "tolerance.rule"),
      ("tolerance", "{\"rtol\": 1e-5}", "tolerance.atol"),
      ("tolerance", "{\"atol\": 1e-5}", "tolerance.rtol"),
      ("tolerance", "{\"rtol\": -1, \"atol\": 0}", "tolerance.rtol"),
      ("tolerance", "{\"rule\": \"torch\", \"rtol\": 1, \"atol\": 0}", "tolerance.rule"),
      ("tolerance", "{\"outputs\": {\"hn\": {\"rule\": \"torch\"}}}", "tolerance.outputs.hn"),
      ("tolerance", "{\"outputs\": {\"h_n\": {}}}", "tolerance.outputs.h_n.rule"),
      ("expected_failure", "\"\"", "expected_failure"),
      ("expected_failure", "true", "expected_failure"),
      ("expected_failure", "{\"outputs\": {\"h_n\": 1}}", "expected_failure.reason"),
      ("expected_failure", "{\"reason\": \"r\"}", "expected_failure.outputs"),
      ("expected_failure", "{\"reason\": \"r\", \"outputs\": {}}", "expected_failure.outputs"),
      (
        "expected_failure", "{\"reason\": \"r\", \"outputs\": {\"h_n\": 0}}",
        "expected_failure.outputs.h_n"
      ),
      (
        "expected_failure", "{\"reason\": \"r\", \"outputs\": {\"hn\": 1}}",
        "expected_failure.outputs.hn"
      ),
      ("provenance", "\"here\"", "provenance"), ("digest", "12", "digest"),
      ("descripton", "\"\"", "descripton"),
    ] as [(String, String?, String)])
  func namesTheKeyThatIsWrong(key: String, json: String?, subject: String) {
    #expect(self.subject(key, json) == subject)
  }

  @Test(arguments: ["", "{", "[]", "nonsense", "{} {}", "null"])
  func refusesWhatIsNoManifest(text: String) {
    #expect(throws: InvalidValue.self) { try Manifest(parsing: text) }
  }

  @Test(
    arguments: [
      ("GRU", "proj_size", "0"), ("LSTMCell", "num_layers", "1"), ("GRUCell", "dropout", "0"),
      ("LSTM", "nonlinearity", "\"tanh\""), ("RNN", "nonlinearity", "\"sigmoid\""),
      ("RNNCell", "batch_first", "false"), ("RNN", "nonlinearity", "true"),
    ])
  func aModuleHasItsOwnArguments(module: String, argument: String, json: String) {
    let text = """
      {"format": "pytorch-parity/1", "module": "\(module)",
       "arguments": {"input_size": 5, "hidden_size": 6, "\(argument)": \(json)}}
      """
    let error = #expect(throws: InvalidValue.self) { try Manifest(parsing: text) }
    #expect(error?.name == "arguments.\(argument)")
  }

  @Test func saysWhereItIsNoJSON() {
    let error = #expect(throws: InvalidValue.self) {
      try Manifest(parsing: "{\n  \"format\": nonsense\n}")
    }
    #expect(error?.name == "manifest, line 2, column 13")
    #expect(error?.found == "'nonsense'")
  }

  @Test func readsBorrowedTensors() throws {
    let manifest = try Manifest(
      parsing: manifest(
        "tensors", "{\"state_dict\": {\"file\": \"../model.npz\", \"prefix\": \"encoder.\"}}"))
    #expect(
      manifest.borrowed == [
        "state_dict": BorrowedTensors(file: "../model.npz", prefix: "encoder.")
      ])
  }
}

extension Manifest {
  /// Those of a single module.
  fileprivate var moduleArguments: ModuleArguments {
    get throws {
      guard case .recurrent(let arguments, _) = modules[0].layer else {
        throw InvalidValue("module", expected: "one module", found: "a chain")
      }
      return arguments
    }
  }
}
