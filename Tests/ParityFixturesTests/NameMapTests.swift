import RecurrentModel
import TensorArchives
import TensorCore
import TestSupport
import Testing

@testable import ParityFixtures

/// The names that others have for results, as `--map` states them.
@Suite struct NameMapTests {
  @Test func aNameBelongsToTheOneBeforeTheLastSign() throws {
    let map = try NameMap(parsing: ["output=Y", "h_n=a b", "x=y=z"])
    #expect(map.actual == ["output": "Y", "h_n": "a b", "x=y": "z"])
    #expect(map.expected("Y") == "output" && map.expected("c_n") == "c_n")
  }

  @Test(arguments: [
    (["output"], "EXPECTED=ACTUAL", "output"), (["=Y"], "EXPECTED=ACTUAL", "=Y"),
    (["output="], "EXPECTED=ACTUAL", "output="),
    (["output=Y", "output=Z"], "every tensor once", "one of output=Z twice"),
    (["output=Y", "h_n=Y"], "every tensor once", "one of h_n=Y twice"),
  ])
  func whatIsNoMapIsRefused(texts: [String], expected: String, found: String) {
    #expect(throws: InvalidValue("--map", expected: expected, found: found)) {
      try NameMap(parsing: texts)
    }
  }

  @Test func optionsAreWrittenAsAShellTakesThem() {
    #expect(
      NameMap.options([("output", "Y"), ("h_n", "last state's")])
        == #"--map output=Y --map 'h_n=last state'\''s'"#)
  }

  /// Of one result each, in a file as somebody else writes it.
  private func read(_ names: [String], _ map: [String]) throws -> [String: Tensor] {
    let folder = try TemporaryFolder()
    let tensors = names.enumerated().map { ($1, Tensor([Float($0)], shape: [1])) }
    try TensorContainer.write(
      Dictionary(uniqueKeysWithValues: tensors), to: folder.path + "/case.npz")
    let request = OutputsRequest(
      location: CaseLocation(name: "case", path: "case"), required: ["output", "h_n"],
      optional: [], canBeComputed: true, chunkedRun: nil, completed: [:])
    return try OutputsFolder(folder.path, map: NameMap(parsing: map)).read("case", for: request)
  }

  @Test(arguments: [
    (["Y", "Y_h"], ["output=Y", "h_n=Y_h"]),
    (["outputs/Y", "Y_h"], ["output=Y", "h_n=outputs/Y_h"]),
    (["h_n", "output"], ["h_n=output", "output=h_n"]),
    // What a case does not have, or a file does not hold, is passed over.
    (["Y", "h_n"], ["output=Y", "c_n=Y_c"]), (["output", "h_n"], ["output=Y"]),
    (["Y", "h_n"], ["outputs/output=Y"]),
  ])
  func resultsAreReadByTheNamesThatAreStated(names: [String], map: [String]) throws {
    let tensors = try read(names, map)
    #expect(tensors["output"]?.double(at: 0) == 0 && tensors["h_n"]?.double(at: 0) == 1)
  }

  @Test func aResultOfTwoTensorsIsRefused() throws {
    let error = #expect(throws: CaseError.self) {
      try read(["Y", "output", "h_n"], ["output=Y"])
    }
    #expect("\(error, default: "")".hasSuffix("output: expected one tensor, found another in Y"))
  }
}
