import RecurrentModel
import TensorCore
import TestSupport
import Testing

@testable import ParityFixtures

/// The manifest's `chunks`, and the cases that cannot have any.
@Suite struct ChunkSizesTests {
  private static func manifest(
    _ chunks: String, module: String = "LSTM", _ more: String = ""
  ) -> String {
    #"{"format": "pytorch-parity/1", "module": "\#(module)", "chunks": \#(chunks)\#(more)}"#
  }

  private func refusal(_ text: String) -> InvalidValue? {
    do {
      _ = try Manifest(parsing: text)
      return nil
    } catch {
      return error
    }
  }

  @Test func aSizeOrAllOfThem() throws {
    #expect(try Manifest(parsing: Self.manifest("4")).chunks == .each(4))
    #expect(try Manifest(parsing: Self.manifest("[4, 4, 2]")).chunks == .all([4, 4, 2]))
    #expect(refusal(Self.manifest("4")) == nil)
  }

  @Test(arguments: ["0", "-1", "1.5", "\"4\"", "[]", "[4, 0]", "[4, 2.5]", "[[4]]", "true", "{}"])
  func whatIsNoNumberOfSteps(chunks: String) throws {
    let error = try #require(refusal(Self.manifest(chunks)))
    #expect(error.name == "chunks")
    #expect(error.expected == "a number of steps of at least 1, or an array of them")
  }

  @Test func whereNoStatesCanBeHandedOver() throws {
    let cell = try #require(refusal(Self.manifest("1", module: "GRUCell")))
    #expect(cell.name == "chunks" && cell.expected.contains("GRUCell"))
    #expect(cell.remedy?.contains("a case of GRU with \"chunks\": 1") == true)
    let packed = try #require(refusal(Self.manifest("1", ", \"packed\": {}")))
    #expect(packed.name == "chunks" && packed.expected == "none beside packed")
    let chain = try #require(
      refusal(
        Self.manifest(
          "1", module: "Sequential", ", \"modules\": [{\"name\": \"a\", \"module\": \"LSTM\"}]")))
    #expect(chain.name == "chunks" && chain.remedy?.contains("one recurrent module") == true)
  }

  /// A fixture's tensors, under a manifest with other chunks.
  private func load(_ fixture: String, _ text: String) throws -> InvalidValue? {
    let location = CaseLocation(name: fixture, path: Repository.fixtures + "/" + fixture)
    let tensors = try FixtureContents(location).tensors()
    let manifest = try Manifest(parsing: text)
    do throws(InvalidValue) {
      let parityCase = try ParityCase(location, manifest, tensors)
      #expect(parityCase.chain?.input.chunks != nil)
      return nil
    } catch {
      return error
    }
  }

  @Test func theSizesSumToTheSteps() throws {
    for right in ["10", "4", "1", "12", "[4, 4, 2]", "[10]"] {
      #expect(try load("lstm-chunks.npz", Self.manifest(right)) == nil)
    }
    for (wrong, found) in [
      ("[4, 4]", "8"), ("[4, 4, 4]", "more"), ("[9223372036854775807, 1]", "more"),
    ] {
      let error = try #require(try load("lstm-chunks.npz", Self.manifest(wrong)))
      #expect(error.name == "chunks" && error.found == found)
      #expect(error.expected == "sizes that sum to 10, the steps of inputs/input")
    }
  }

  @Test func aSizeAloneLeavesTheRestToTheLast() throws {
    let configuration = try RecurrentConfiguration(module: .lstm, inputSize: 5, hiddenSize: 6)
    #expect(try ChunkSizes.each(4).chunks(of: 10, configuration).sizes == [4, 4, 2])
    #expect(try ChunkSizes.each(5).chunks(of: 10, configuration).sizes == [5, 5])
    #expect(try ChunkSizes.each(12).chunks(of: 10, configuration).sizes == [10])
  }

  @Test func aBidirectionalModuleHasNone() throws {
    let text = Self.manifest("2", ", \"arguments\": {\"bidirectional\": true}")
    let error = try #require(try load("lstm-bidirectional.h5", text))
    #expect(error.name == "chunks" && error.expected == "none for a bidirectional module")
    #expect(error.remedy?.contains("the reverse direction starts at the end") == true)
  }

  @Test func aCaseWithoutParametersHasNone() throws {
    let location = CaseLocation(name: "x", path: "x")
    let manifest = try Manifest(parsing: Self.manifest("2", module: "GRU"))
    let zeros = Tensor([Float](repeating: 0, count: 24), shape: [4, 1, 6])
    let state = Tensor([Float](repeating: 0, count: 6), shape: [1, 1, 6])
    let error = #expect(throws: InvalidValue.self) {
      try ParityCase(location, manifest, ["outputs/output": zeros, "outputs/h_n": state])
    }
    #expect(error?.name == "chunks" && error?.expected == "none without state_dict")
  }
}
