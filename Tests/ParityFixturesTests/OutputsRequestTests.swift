import RecurrentModel
import TensorCore
import Testing

@testable import ParityFixtures

/// What is said of outputs that are not those that a case asks for.
@Suite struct OutputsRequestTests {
  private static let one = Tensor([Float(1)], shape: [1])

  /// That of an LSTM's case.
  private static let request = OutputsRequest(
    location: CaseLocation(name: "case", path: "case"), required: ["output", "h_n", "c_n"],
    optional: [], canBeComputed: true, chunkedRun: nil, completed: [:])

  @Test(arguments: [
    (["Y", "Y_h", "Y_c"], "Y"), (["output", "hn", "cn"], "hn"), (["output", "h0", "c0"], "h0"),
    (["out", "hidden", "cell"], "out"), (["output", "state_h", "state_c"], "state_h"),
  ])
  func whatOthersCallTheirOutputsIsAskedAbout(names: [String], first: String) throws {
    let tensors = Dictionary(uniqueKeysWithValues: names.map { ($0, Self.one) })
    let error = #expect(throws: InvalidValue.self) {
      try Self.request.check(tensors)
    }
    #expect(error?.name == first)
    let pairs = zip(["output", "h_n", "c_n"], names).filter { $0 != $1 }
    for (meant, found) in pairs {
      #expect(error?.remedy?.contains("\(meant) (for \(found))") == true)
    }
    let options = pairs.map { "--map \($0)=\($1)" }.joined(separator: " ")
    #expect(error?.remedy?.hasSuffix("? Rename them, or say: \(options)") == true)
  }

  /// What was given in place of a result is listed, and how to state which is which.
  @Test(
    arguments: [
      (
        ["h_n", "c_n", "states"], "only c_n (1,), h_n (1,), states (1,)",
        "if states is it, say: --map output=states"
      ),
      (
        ["h_n", "c_n"], "only c_n (1,), h_n (1,)",
        "if no more was kept than h_n, c_n, judge by that: --only h_n,c_n, or VerificationOptions(only:)"
      ),
      ([], "none", nil),
      (
        ["h_n", "c_n", "s1", "s2", "s3", "s4", "s5", "s6"],
        "only c_n (1,), h_n (1,), s1 (1,), s2 (1,), s3 (1,), s4 (1,), 2 more",
        "if s1 is it, say: --map output=s1"
      ),
    ] as [([String], String, String?)])
  func aMissingOutputIsToldWithWhatIsThere(
    names: [String], found: String, remedy: String?
  ) throws {
    let error = #expect(throws: InvalidValue.self) {
      try Self.request.check(
        Dictionary(uniqueKeysWithValues: names.map { ($0, Self.one) }))
    }
    #expect(error?.name == "output" && error?.found == found)
    #expect(error?.remedy == remedy)
  }
}
