import JSON
import TensorArchives
import TensorCore
import TestSupport
import Testing

@testable import ParityFixtures

/// What an external program is given to compute a case's outputs from.
@Suite struct EngineInputTests {
  private func request(_ name: String) throws -> OutputsRequest {
    try ParityCase.load(CaseLocation(name: name, path: Repository.fixtures + "/" + name))
      .outputsRequest
  }

  private func manifest(_ path: String) throws -> [String: JSONValue] {
    let text = try #require(try PendingArchive(path).manifest())
    guard case .object(let values) = try JSONParser.parse(text) else { return [:] }
    return values
  }

  @Test(arguments: ["case.npz", "case.h5", "case"])
  func itHoldsEverythingButTheAnswer(name: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/" + name
    let request = try request("gru-packed")
    try EngineInput(request).write(to: path)
    let archive = try TensorContainer.open(path)
    let own = try FixtureContents(request.location).tensors()
    #expect(
      archive.tensorNames.sorted() == own.keys.filter { !$0.hasPrefix("outputs/") }.sorted())
    for name in archive.tensorNames {
      let (written, given) = (try archive.tensor(named: name), try #require(own[name]))
      #expect(written.shape == given.shape && written.elementType == given.elementType)
      #expect((0..<given.count).allSatisfy { written.double(at: $0) == given.double(at: $0) })
    }
    let manifest = try manifest(path)
    #expect(manifest["digest"] == nil && manifest["tolerance"] == nil)
    #expect(manifest["module"] == .string("GRU"))
    #expect(manifest["arithmetic"] == .string("float32"))
  }

  /// Also what the fixture leaves to the shapes.
  @Test func argumentsAreComplete() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/case"
    try EngineInput(request("gru-cell-inferred.npz")).write(to: path)
    guard case .object(let arguments)? = try manifest(path)["arguments"] else {
      Issue.record("no arguments")
      return
    }
    #expect(Set(arguments.keys) == ["input_size", "hidden_size", "bias"])
    #expect(arguments["bias"] == .boolean(true))
  }

  @Test func expectedFailuresAreForTheJudgeAlone() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/case"
    try EngineInput(request("article-printed-input.npz")).write(to: path)
    let manifest = try manifest(path)
    #expect(manifest["expected_failure"] == nil && manifest["tolerance"] == nil)
  }
}
