import ParityFixtures
import RecurrentModel
import TensorArchives
import TensorCore
import TestSupport
import Testing

@testable import ParityTracing

/// Which tensor of an implementation is taken for which value.
@Suite struct MatchingTests {
  private let names = [
    "input", "conv", "lstm/input.0", "lstm/output", "lstm/h_n", "lstm/c_n", "head",
  ]

  /// A file that holds the right values under other names.
  private func matching(
    _ rename: (String) -> String?, map: [String] = [], rules: [RenameRule] = []
  ) throws -> StageMatching {
    let folder = try TemporaryFolder()
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in try SampleRecording.values(SampleRecording.right) {
      if let other = rename(name) { tensors[other] = tensor }
    }
    let path = folder.path + "/actual.safetensors"
    try TensorContainer.write(tensors, to: path)
    let actual = try ActualTensors([TensorContainer.open(path)], renaming: rules)
    return try StageMatching(
      SampleRecording.reference(), actual, map: NameMap(parsing: map))
  }

  @Test func theSameNamesAndThoseWithOtherSeparators() throws {
    let same = try matching { $0 }
    #expect(same.way == .names)
    #expect(same.actual == Dictionary(uniqueKeysWithValues: names.map { ($0, $0) }))
    let dots = try matching { $0.replacing("/", with: ".") }
    #expect(dots.actual["lstm/h_n"] == "lstm.h_n")
    #expect(dots.extra.isEmpty)
  }

  @Test func aModulesOnlyResultGoesByItsName() throws {
    let found = try matching { $0 == "lstm/output" ? "lstm" : $0 == "head" ? "head.0" : nil }
    #expect(found.actual == ["lstm/output": "lstm", "head": "head.0"])
  }

  @Test func aCommonPrefixIsFound() throws {
    let found = try matching { "model.net." + $0 }
    #expect(found.way == .prefix("model.net."))
    #expect(found.actual["conv"] == "model.net.conv")
    #expect(found.actual.count == names.count)
  }

  @Test func rulesAndMapsBringNamesTogether() throws {
    let rule = try RenameRule("s/^x_//")
    let renamed = try matching({ "x_" + $0 }, rules: [rule])
    #expect(renamed.way == .names)
    #expect(renamed.actual.count == names.count)
    let mapped = try matching({ $0 == "conv" ? "y" : $0 == "head" ? "z" : nil }, map: ["conv=y"])
    #expect(mapped.actual == ["conv": "y"])
    #expect(mapped.extra == ["z"])
  }

  @Test func withoutANameInCommonShapesAreTaken() throws {
    let found = try matching { name in "t\(names.firstIndex(of: name) ?? 9)" }
    #expect(found.way == .shapes)
    #expect(found.actual["head"] == "t6")
    // h_n and c_n have one shape: by their order.
    #expect(found.actual["lstm/h_n"] == "t4")
  }

  @Test func nothingInCommonIsAnErrorThatSaysHowBothAreNamed() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/other.safetensors"
    try TensorContainer.write(["a": Tensor([1, 2] as [Float], shape: [2])], to: path)
    let actual = try ActualTensors([TensorContainer.open(path)])
    let error = try #require(throws: InvalidValue.self) {
      try StageMatching(SampleRecording.reference(), actual, map: .none)
    }
    #expect("\(error)".contains("expected tensors named like input, conv, lstm/input.0"))
    #expect("\(error)".contains("found none of these, but a"))
    #expect(throws: InvalidValue.self) { try matching({ $0 }, map: ["nothing=conv"]) }
  }

  @Test func twoTensorsOfOneNameAreRefused() throws {
    let rule = try RenameRule("s/^.*$/same/")
    #expect(throws: ArchiveError.self) { try matching({ $0 }, rules: [rule]) }
  }
}
