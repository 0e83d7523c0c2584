import TestSupport
import Testing

/// `--actual`, `--diagnose` and `audit`, as a user runs them.
@Suite struct ActualTests {
  private let fixture = "lstm-bidirectional-batch-first"

  /// A folder of outputs with the fixture's own.
  private func actual(_ outputs: String? = nil) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.copy("\(Repository.fixtures)/\(outputs ?? fixture)/outputs", as: fixture)
    return folder
  }

  private func judge(_ folder: TemporaryFolder, _ more: String...) throws -> Tool {
    try Tool(
      ["Fixtures", "--filter", "^\(fixture)$", "--actual", folder.path] + more)
  }

  @Test func theReferencesOwnOutputsPass() throws {
    let tool = try judge(try actual())
    #expect(tool.status == 0)
    #expect(tool.lines.first?.hasSuffix("bit for bit") == true)
    #expect(try judge(try actual(), "--verbose").output.contains("outputs against reference"))
  }

  @Test func exchangedStatesAreNamed() throws {
    let folder = try actual()
    let path = "\(Repository.fixtures)/\(fixture)/outputs/"
    try folder.write(bytes(of: path + "h_n.npy"), to: fixture + "/c_n.npy")
    try folder.write(bytes(of: path + "c_n.npy"), to: fixture + "/h_n.npy")
    let tool = try judge(folder)
    #expect(tool.status == 1)
    #expect(tool.output.contains("diagnosis: the outputs are reproduced to "))
    #expect(tool.output.contains("h_n and c_n exchanged"))
    #expect(tool.output.contains("[final-states-exchanged]"))
    #expect(try !judge(folder, "--diagnose", "off").output.contains("diagnosis"))
    #expect(try judge(folder, "--diagnose", "slow").status == 64)
  }

  @Test func anotherCasesOutputsAreOfAnotherShape() throws {
    let tool = try judge(try actual("gru-three-layers"))
    #expect(tool.status == 1)
    #expect(tool.output.contains("c_n: expected a tensor of floats, beside output, h_n, c_n"))
  }

  /// Of the same shape, so that nothing but their numbers tells.
  @Test func anotherCasesOutputsAreSaidToBe() throws {
    let folder = try TemporaryFolder()
    let other = "\(Repository.fixtures)/\(fixture)"
    for name in ["mine", "theirs"] { try folder.copy(other, as: "cases/" + name) }
    for name in ["output", "h_n", "c_n"] {
      // Another case: some numbers have the other sign.
      let path = "\(other)/outputs/\(name).npy"
      var numbers = try bytes(of: path)
      for place in stride(from: numbers.count - 1, to: numbers.count - 40, by: -4) {
        numbers[place] ^= 0x80
      }
      try folder.write(numbers, to: "cases/theirs/outputs/\(name).npy")
      try folder.write(numbers, to: "outputs/mine/\(name).npy")
    }
    let manifest = String(decoding: try bytes(of: other + "/manifest.json"), as: UTF8.self)
    let undigested = manifest.replacing(/,\s*"digest": "[^"]*"/, with: "")
    for name in ["mine", "theirs"] {
      try folder.write(Array(undigested.utf8), to: "cases/\(name)/manifest.json")
    }
    let tool = try Tool(
      "\(folder.path)/cases", "--filter", "mine", "--actual", "\(folder.path)/outputs")
    #expect(tool.status == 1)
    #expect(tool.output.contains("these are the outputs of theirs"), "\(tool.output)")
    #expect(!tool.output.contains("diagnosis"))
  }

  /// As ONNX Runtime names them.
  @Test func outputsOfOtherNamesAreMapped() throws {
    let folder = try TemporaryFolder()
    let path = "\(Repository.fixtures)/\(fixture)/outputs/"
    for (name, other) in [("output", "Y"), ("h_n", "Y_h"), ("c_n", "Y_c")] {
      try folder.write(bytes(of: path + name + ".npy"), to: "\(fixture)/\(other).npy")
    }
    let tool = try judge(folder)
    #expect(tool.status == 1)
    let line = try #require(tool.lines.first)
    let typed = try #require(line.firstRange(of: "or say: ")).upperBound
    let options = line[typed...].split(separator: " ").map(String.init)
    #expect(options == ["--map", "output=Y", "--map", "h_n=Y_h", "--map", "c_n=Y_c"])
    let mapped = try Tool(
      ["Fixtures", "--filter", "^\(fixture)$", "--actual", folder.path] + options)
    #expect(mapped.status == 0)
    #expect(mapped.lines.first?.hasSuffix("bit for bit") == true)
  }

  /// Which of them would decide?
  @Test func aTensorThatIsThereTwiceFails() throws {
    let folder = try actual()
    let path = "\(Repository.fixtures)/\(fixture)/outputs/"
    try folder.write(bytes(of: path + "h_n.npy"), to: fixture + "/outputs/c_n.npy")
    let tool = try judge(folder)
    #expect(tool.status == 1)
    #expect(tool.output.contains("c_n: expected one tensor, found another in outputs/c_n"))
  }

  @Test func missingOutputsFailTheirCaseAlone() throws {
    let folder = try actual()
    let tool = try Tool("Fixtures", "--filter", "^lstm-b", "--actual", folder.path)
    #expect(tool.status == 1)
    #expect(tool.lines.contains { $0.hasPrefix("passed        \(fixture) ") })
    #expect(
      tool.lines.contains {
        $0.hasPrefix("failed        lstm-bidirectional ")
          && $0.contains("expected one file or folder of this name with the outputs, found none")
      })
    #expect(try Tool("Fixtures", "--actual", folder.path + "/none").status == 2)
  }

  /// Outputs are looked at where there are no parameters to run, too.
  @Test func withoutParametersTheReferenceAloneDecides() throws {
    let folder = try TemporaryFolder()
    let name = "article-printed"
    func judge() throws -> Tool {
      try Tool("Fixtures", "--filter", "^\(name)$", "--actual", folder.path)
    }
    #expect(try judge().status == 1)
    try folder.copy("\(Repository.fixtures)/\(name)/outputs", as: name)
    let right = try judge()
    #expect(right.status == 0)
    #expect(right.output.contains("no state_dict: held to the reference alone"))
    let other = try TemporaryFolder()
    try other.copy("\(Repository.fixtures)/lstm-one-sequence/outputs", as: name)
    let wrong = try Tool("Fixtures", "--filter", "^\(name)$", "--actual", other.path)
    #expect(wrong.status == 1)
    #expect(wrong.output.contains("the outputs differ from the reference"))
  }

  @Test func halfAFileIsSaid() throws {
    let folder = try actual()
    let whole = try bytes(of: "\(Repository.fixtures)/\(fixture)/outputs/h_n.npy")
    try folder.write(whole.dropLast(5), to: fixture + "/h_n.npy")
    let tool = try judge(folder)
    #expect(tool.status == 1)
    #expect(tool.output.contains("h_n.npy"))
    try folder.write("", to: fixture + "/stranger.txt")
    try folder.write(whole, to: fixture + "/h_n.npy")
    try folder.write(whole, to: fixture + "/extra.npy")
    #expect(try judge(folder).output.contains("extra: expected none but output, h_n, c_n"))
  }

  @Test func theRepositorysFixturesSeeEveryBug() throws {
    let tool = try Tool("audit", "Fixtures")
    #expect(tool.status == 0, "\(tool.output.suffix(800))")
    #expect(tool.lines.last?.contains("kinds of bug are seen by some case (100.0%)") == true)
  }

  /// One case does not see all that could be seen, and cells see little.
  @Test func anAuditSaysWhatIsMissing() throws {
    let one = try Tool("audit", "Fixtures", "--filter", "^lstm-cell$", "--rare")
    #expect(one.status == 1)
    #expect(one.output.contains("seen by no case, though it was planted:"))
    let plain = try Tool("audit", "Fixtures", "--filter", "^lstm-cell$")
    #expect(plain.status == 0)
    #expect(plain.output.contains("and not counted (see --rare)"))
    #expect(one.output.contains("  bidirectional=True: "))
    #expect(
      try Tool("audit", "Fixtures", "--filter", "^lstm-cell$", "--rare", "--require", "90%").status
        == 0)
    for wrong in ["101%", "-1", "most", "nan"] {
      #expect(try Tool("audit", "Fixtures", "--require", wrong).status == 64, "\(wrong)")
    }
    #expect(try Tool("audit", "Fixtures", "--filter", "nothing").status == 2)
    #expect(try Tool("audit", "Fixtures/none").status == 2)
  }
}
