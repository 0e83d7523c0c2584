import RecurrentModel
import TensorArchives
import TensorCore
import TestSupport
import Testing

@testable import ParityFixtures

/// What an error says of the mistake behind it, and of what to do. Each of these cases was sound
/// before one thing was changed.
@Suite struct ExplanationTests {
  private static func floats(_ axes: Int...) -> Tensor {
    let shape = Shape(axes)
    return Tensor([Float](repeating: 0, count: shape.elementCount), shape: shape)
  }

  /// An LSTM(5, 6) on 4 steps of 3 sequences.
  private static let lstm = [
    "state_dict/weight_ih_l0": floats(24, 5), "state_dict/weight_hh_l0": floats(24, 6),
    "state_dict/bias_ih_l0": floats(24), "state_dict/bias_hh_l0": floats(24),
    "inputs/input": floats(4, 3, 5), "inputs/h_0": floats(1, 3, 6), "inputs/c_0": floats(1, 3, 6),
    "outputs/output": floats(4, 3, 6), "outputs/h_n": floats(1, 3, 6),
    "outputs/c_n": floats(1, 3, 6),
  ]

  private static func error(
    _ tensors: [String: Tensor], arguments: String = "{}", _ more: String = "",
    module: String = "LSTM"
  ) -> String {
    do {
      let manifest = try Manifest(
        parsing: """
          {"format": "pytorch-parity/1", "module": "\(module)", "arguments": \(arguments)\(more)}
          """)
      _ = try ParityCase(CaseLocation(name: "case", path: "case"), manifest, tensors)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  private static func renamed(_ name: (String) -> String) -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: lstm.map { (name($0.key), $0.value) })
  }

  @Test func unchangedItLoads() { #expect(Self.error(Self.lstm) == "none") }

  // MARK: - Names of parameters

  @Test(arguments: ["encoder.gru.", "module.", "lstm/"])
  func aPrefixIsToldWithTheStatementForIt(prefix: String) {
    var tensors = Self.renamed { $0.replacing("state_dict/", with: "state_dict/" + prefix) }
    tensors["state_dict/decoder.weight"] = Self.floats(2, 3)
    #expect(
      Self.error(tensors) == """
        state_dict/weight_ih_l0: expected a tensor, found none; \
        state_dict has \(prefix)weight_ih_l0, …: a prefix? say "tensors": {"state_dict": \
        {"file": "model.npz", "prefix": "\(prefix)"}} in manifest.json of a folder that holds \
        them as model.npz, or save that module's own state_dict()
        """)
  }

  /// A prefix that is stated, but not all of it.
  @Test func aBorrowedFilesPrefixIsCompleted() {
    let tensors = Self.renamed { $0.replacing("state_dict/", with: "state_dict/.") }
    let borrowed = #", "tensors": {"state_dict": {"file": "m.npz", "prefix": "encoder"}}"#
    #expect(
      Self.error(tensors, borrowed).hasSuffix(
        #": a prefix? say "tensors": {"state_dict": {"file": "m.npz", "prefix": "encoder."}} "#
          + "in manifest.json"))
  }

  @Test func theModulesOfAChainAreFoundBehindAPrefixToo() {
    let manifest = #", "modules": [{"name": "rnn", "module": "LSTM"}]"#
    let tensors = Self.renamed { $0.replacing("state_dict/", with: "state_dict/net.rnn.") }
    let text = #"{"format": "pytorch-parity/1", "module": "Sequential"\#(manifest)}"#
    let error = #expect(throws: InvalidValue.self) {
      try ParityCase(
        CaseLocation(name: "c", path: "c"), Manifest(parsing: text), tensors)
    }
    #expect(error?.remedy?.hasPrefix("state_dict has net.rnn.weight_ih_l0, …: a prefix?") == true)
    #expect(error?.remedy?.contains(#""prefix": "net."}}"#) == true)
  }

  @Test func parametersWithoutTheirGroupAreAskedAbout() {
    let bare = Self.error(Self.renamed { $0.replacing("state_dict/", with: "") })
    #expect(
      bare == """
        bias_hh_l0: expected the name of a tensor of the case, found another; did you mean \
        state_dict/bias_hh_l0? If a file in the case's folder holds the parameters by these \
        names, say "tensors": {"state_dict": {"file": "state_dict.npz"}} in manifest.json, by \
        the name that the file has
        """)
    let model = Self.error(Self.renamed { $0.replacing("state_dict/", with: "encoder.") })
    #expect(model.contains(#"{"file": "state_dict.npz", "prefix": "encoder."}"#))
    let other = Self.error(Self.renamed { $0.replacing("state_dict/", with: "weights/") })
    #expect(other.hasSuffix("found another; did you mean state_dict/bias_hh_l0?"))
  }

  // MARK: - Names of inputs and outputs

  @Test(arguments: [
    ("inputs/h_0", "inputs/h0"), ("inputs/h_0", "inputs/hx"), ("inputs/c_0", "inputs/cx"),
    ("inputs/h_0", "inputs/hidden"), ("inputs/input", "inputs/x"), ("inputs/input", "input"),
    ("outputs/output", "outputs/Y"), ("outputs/h_n", "outputs/Y_h"), ("outputs/c_n", "outputs/cn"),
    ("outputs/h_n", "outputs.h_n"), ("outputs/output", "expected/output"),
  ])
  func whatOthersCallATensorIsAskedAbout(right: String, wrong: String) {
    let tensors = Self.renamed { $0 == right ? wrong : $0 }
    #expect(
      Self.error(tensors)
        == "\(wrong): expected the name of a tensor of the case, found another; "
        + "did you mean \(right)?")
  }

  /// Where nothing is missing, nothing else was meant.
  @Test func aTensorTooManyIsNotAskedAbout() {
    let tensors = Self.lstm.merging(["outputs/hidden": Self.floats(1, 3, 6)]) { $1 }
    #expect(
      Self.error(tensors)
        == "outputs/hidden: expected no such tensor in this case, found one of (1, 3, 6)")
  }

  @Test func aMissingResultIsToldWithTheStatementForIt() {
    #expect(
      Self.error(Self.lstm.filter { $0.key != "outputs/c_n" })
        == "outputs/c_n: expected a tensor, found none; nn.LSTM's c_n missing: save it too, "
        + #"or say "outputs": ["output", "h_n"] in the manifest if no more was kept"#)
    let layoutOnly = Self.lstm.filter { $0.key == "outputs/output" }
    #expect(
      Self.error(layoutOnly, arguments: #"{"input_size": 5, "hidden_size": 6}"#)
        == "outputs/h_n: expected a tensor, found none; nn.LSTM's h_n missing: save it too")
  }

  /// Parameters say more than what is not there.
  @Test func theModuleComesBeforeItsResults() {
    let gru = Self.lstm.filter { !$0.key.contains("c_") }
    let names = ["weight_ih_l0": 5, "weight_hh_l0": 6]
    var tensors = gru.merging(names.map { ("state_dict/" + $0, Self.floats(18, $1)) }) { $1 }
    for name in ["bias_ih_l0", "bias_hh_l0"] { tensors["state_dict/" + name] = Self.floats(18) }
    #expect(Self.error(tensors).contains("these are a GRU's weights"))
  }

  // MARK: - Axes

  @Test func theOtherBatchFirstIsToldWhereItFits() {
    #expect(
      Self.error(Self.lstm, arguments: #"{"batch_first": true}"#)
        == "inputs/h_0: expected the shape (1, 4, 6), found (1, 3, 6); "
        + #"with "batch_first": false every shape fits"#)
    let first = Self.lstm.merging([
      "inputs/input": Self.floats(3, 4, 5), "outputs/output": Self.floats(3, 4, 6),
    ]) { $1 }
    #expect(Self.error(first).hasSuffix(#"; with "batch_first": true every shape fits"#))
    let layoutOnly = first.filter { $0.key.hasPrefix("outputs/") || $0.key == "inputs/input" }
    #expect(Self.error(layoutOnly).hasSuffix(#"; with "batch_first": true every shape fits"#))
  }

  @Test(arguments: [("inputs/input", 5), ("outputs/output", 6)])
  func oneTensorWithExchangedAxesIsNamed(name: String, features: Int) {
    let tensors = Self.lstm.merging([name: Self.floats(3, 4, features)]) { $1 }
    #expect(
      Self.error(tensors)
        == "\(name): expected the shape (4, 3, \(features)), found (3, 4, \(features)); "
        + #"its first two axes are exchanged: all other shapes fit "batch_first": false"#)
  }

  /// States that were made with the batch first, as many people think that batch_first asks.
  @Test(arguments: [
    ["inputs/h_0", "inputs/c_0"], ["outputs/h_n", "outputs/c_n"],
    ["inputs/h_0", "inputs/c_0", "outputs/h_n", "outputs/c_n"],
  ])
  func statesWithTheBatchFirstAreNamed(names: [String]) {
    let tensors = Self.lstm.merging(names.map { ($0, Self.floats(3, 1, 6)) }) { $1 }
    #expect(
      Self.error(tensors)
        == "\(names[0]): expected the shape (1, 3, 6), found (3, 1, 6); "
        + "its first two axes are exchanged: states are (D·L, B, H) whatever batch_first is")
  }

  // MARK: - Manifests

  @Test(arguments: [
    (#""torch""#, #"found "torch"; say "tolerance": {"rule": "torch"}"#),
    (#""loose""#, #"{"rule": "torch"}, {"rule": "exact"} or {"rtol": …, "atol": …}"#),
    ("1e-5", #"{"rule": "torch"}, {"rule": "exact"} or {"rtol": …, "atol": …}"#),
    (#"{"outputs": {"h_n": "noise"}}"#, #"found "noise"; say "h_n": {"rule": "noise"}"#),
  ])
  func aBareToleranceIsToldHowItIsWritten(json: String, end: String) {
    let error = Self.error(Self.lstm, #", "tolerance": "# + json)
    #expect(error.hasPrefix("tolerance") && error.hasSuffix(end), "\(error)")
  }

  @Test func aKeyThatIsNearlyRightIsAskedAbout() {
    #expect(
      Self.error(Self.lstm, arguments: #"{"hiden_size": 6}"#).hasSuffix(
        "found an unknown key; did you mean hidden_size?"))
  }

  private func error(withoutManifest tensors: [String: Tensor], in name: String) throws -> String {
    let folder = try TemporaryFolder()
    let path = folder.path + "/" + name
    try TensorContainer.write(tensors, to: path)
    let error = #expect(throws: CaseError.self) {
      try ParityCase.load(CaseLocation(name: "case", path: path))
    }
    return String("\(error, default: "none")".dropFirst(path.count + 2))
      .replacing(folder.path + "/", with: "")
  }

  @Test func whereAManifestIsMissingOneIsProposed() throws {
    let gru = ["state_dict/weight_ih_l0": Self.floats(9, 2), "weight_hh_l0": Self.floats(9, 3)]
    #expect(
      try error(withoutManifest: gru, in: "a.npz")
        == "manifest: expected a member manifest.json, a text, found none; add one, at least: "
        + #"zipfile.ZipFile("a.npz", "a").writestr("manifest.json", "#
        + #"'{"format": "pytorch-parity/1", "module": "GRU"}')"#)
    #expect(
      try error(withoutManifest: ["manifest": Self.floats(3)], in: "a.npz")
        == "manifest: expected a member manifest.json, a text, found an array manifest; "
        + "leave it out of numpy.savez, and add it as text: "
        + #"zipfile.ZipFile("a.npz", "a").writestr("manifest.json", text)"#)
    #expect(
      try error(withoutManifest: Self.lstm, in: "folder").hasSuffix(
        "expected a file manifest.json, found none; add one, at least "
          + #"{"format": "pytorch-parity/1", "module": "LSTM"}"#))
  }

  /// Parameters alone are no case, but can be a part of one.
  @Test func aCheckpointIsToldHowToBeBorrowedFrom() throws {
    let gru = ["weight_ih_l0": Self.floats(9, 2), "weight_hh_l0": Self.floats(9, 3)]
    #expect(
      try error(withoutManifest: gru, in: "a.safetensors")
        == "manifest: expected a text \"manifest\" in __metadata__, found none; a checkpoint? "
        + "parity-check inspect a.safetensors shows its recurrent modules and what to type next; "
        + "to make it a case, add one, at least: "
        + #"safetensors.torch.save_file(tensors, "a.safetensors", "#
        + #"{"manifest": '{"format": "pytorch-parity/1", "module": "GRU"}'}); "#
        + "or where it holds parameters alone, make a folder with inputs/input.npy and outputs/…, "
        + #"and say "tensors": {"state_dict": {"file": "../a.safetensors"}} in manifest.json"#)
    let folder = try TemporaryFolder()
    let path = try folder.copy(Repository.samples + "/state-dict.pt", as: "a.pt")
    let error = #expect(throws: CaseError.self) {
      try ParityCase.load(CaseLocation(name: "case", path: path))
    }
    #expect("\(error!)".contains(#"manifest: expected a text "manifest" in the dictionary, "#))
    #expect("\(error!)".contains(#"torch.save({"manifest": '{"format": "pytorch-parity/1", "#))
    #expect("\(error!)".hasSuffix(#"{"file": "../a.pt"}} in manifest.json"#))
  }

  #if HDF5
    @Test func anHDF5FilesManifestIsAnAttribute() throws {
      #expect(
        try error(withoutManifest: ["manifest": Self.floats(3)], in: "a.h5")
          == #"manifest: expected an attribute "manifest" of the root, a string, "#
          + "found a dataset manifest; make it the attribute, with h5py: "
          + #"file.attrs["manifest"] = file["manifest"].asstr()[()]; del file["manifest"]"#)
      #expect(
        try error(withoutManifest: Self.lstm, in: "a.h5").hasSuffix(
          #"add one, at least: h5py.File("a.h5", "a").attrs["manifest"] = "#
            + #"'{"format": "pytorch-parity/1", "module": "LSTM"}'"#))
    }
  #endif
}
