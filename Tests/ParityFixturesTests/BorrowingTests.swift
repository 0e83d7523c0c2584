import TensorArchives
import TensorCore
import TestSupport
import Testing

@testable import ParityFixtures

/// A case whose parameters stand in a checkpoint of a larger model.
@Suite struct BorrowingTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.copy(Repository.fixtures + "/lstm-borrowed", as: "case")
    try folder.copy(Repository.fixtures + "/checkpoints", as: "checkpoints")
  }

  private func error(_ change: (String) -> String = { $0 }) throws -> String? {
    let path = Repository.fixtures + "/lstm-borrowed/manifest.json"
    let text = String(decoding: try bytes(of: path), as: UTF8.self)
    try folder.write(change(text), to: "case/manifest.json")
    let location = try #require(Discovery(paths: [folder.path]).cases.first)
    do throws(CaseError) {
      _ = try ParityCase.load(location)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func itsTensorsAreTheCases() throws {
    #expect(try error() == nil)
    #expect(Discovery(paths: [folder.path]).cases.map(\.name) == ["case"])
  }

  @Test func aPrefixThatNothingHasIsNamed() throws {
    let error = try error { $0.replacing("encoder.lstm.", with: "encoder.gru.") }
    #expect(error?.contains("lstm-borrowed.npz: encoder.gru.*: no such tensor") == true)
  }

  @Test func aFileThatIsNotThereIsNamed() throws {
    let error = try error { $0.replacing("lstm-borrowed.npz", with: "none.npz") }
    #expect(error?.hasSuffix("/none.npz: no such file or folder") == true)
  }

  @Test func aPathOutOfTheFolderIsRefusedUnlessAllowed() throws {
    let outside = try TemporaryFolder()
    try outside.copy(Repository.fixtures + "/checkpoints/lstm-borrowed.npz", as: "x.npz")
    let own = "../checkpoints/lstm-borrowed.npz"
    let error = try error { $0.replacing(own, with: outside.path + "/x.npz") }
    #expect(error?.contains("expected a file inside") == true)
    let allowed = Discovery(paths: [folder.path], allowedRoots: [outside.path])
    #expect(throws: Never.self) {
      try ParityCase.load(try #require(allowed.cases.first { $0.name == "case" }))
    }
  }

  /// A borrowed folder's own links lead no further.
  @Test func aLinkInABorrowedFolderIsRefused() throws {
    let outside = try TemporaryFolder()
    let weight = try outside.write(
      try bytes(of: Repository.samples + "/float32.npy"), to: "secret.npy")
    try folder.write("", to: ".w/README.md")
    try folder.link(".w/weight_ih_l0.npy", to: weight)
    let error = try error {
      $0.replacing("../checkpoints/lstm-borrowed.npz", with: "../.w")
        .replacing("encoder.lstm.", with: "")
    }
    #expect(error?.contains("expected a file inside") == true)
  }

  @Test func aTensorOfTheCaseItselfIsNotBorrowedToo() throws {
    let weight = try bytes(of: Repository.samples + "/float32.npy")
    try folder.write(weight, to: "case/state_dict/weight_ih_l0.npy")
    #expect(try error()?.contains("expected its own or a borrowed one, found both") == true)
  }

  private static let prefix = ",\n      \"prefix\": \"encoder.lstm.\""

  /// The file's only recurrent module is the case's, whatever else is there.
  @Test func aPrefixThatIsNotStatedIsFound() throws {
    #expect(try error { $0.replacing(Self.prefix, with: "") } == nil)
  }

  /// A prefix that is stated is not searched for, be it empty.
  @Test func anEmptyPrefixMeansAllTensors() throws {
    let error = try error { $0.replacing("encoder.lstm.", with: "") }
    #expect(error?.contains("state_dict/weight_ih_l0: expected a tensor, found none") == true)
    #expect(error?.contains(#""prefix": "encoder.lstm."}}"#) == true)
  }

  @Test func ofSeveralModulesOneIsToBeNamed() throws {
    let own = try TensorContainer.open(folder.path + "/checkpoints/lstm-borrowed.npz")
    var tensors: [String: Tensor] = [:]
    for name in own.tensorNames {
      tensors[name] = try own.tensor(named: name)
      tensors["second." + name] = tensors[name]
    }
    try TensorContainer.write(tensors, to: folder.path + "/checkpoints/lstm-borrowed.npz")
    let error = try error { $0.replacing(Self.prefix, with: "") }
    #expect(
      error?.hasSuffix(
        """
        tensors.state_dict.prefix: expected the prefix of a module in \
        ../checkpoints/lstm-borrowed.npz, found none, and the modules encoder.lstm, \
        second.encoder.lstm; say "tensors": {"state_dict": {"file": \
        "../checkpoints/lstm-borrowed.npz", "prefix": "encoder.lstm."}} in manifest.json
        """) == true, "\(error ?? "no error")")
  }
}
