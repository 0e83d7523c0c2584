import Foundation
import RecurrentEngine
import TestSupport
import Testing

/// `parity-check PATH`, as a user runs it: what is printed, and with which exit status.
@Suite struct CheckTests {
  @Test func theRepositorysFixturesPass() throws {
    let catalogue = "^(\(Repository.catalogue.sorted().joined(separator: "|")))$"
    let tool = try Tool("Fixtures", "--filter", catalogue)
    #expect(tool.status == 0)
    #expect(tool.errors.isEmpty)
    let summary = try #require(tool.lines.last)
    #expect(summary.contains(" cases: ") && summary.contains(" with a remark, 1 skipped in "))
    #expect(tool.lines.dropLast().allSatisfy { $0.hasPrefix("passed") || $0.hasPrefix("skipped") })
    #expect(tool.lines.count == Repository.catalogue.count + 1)
  }

  @Test func jobsChangeNothingThatIsPrinted() throws {
    func cases(_ jobs: String) throws -> [String] {
      try Tool("Fixtures", "--jobs", jobs).lines.dropLast()
    }
    #expect(try cases("1") == cases("7"))
  }

  @Test func threadsAndInstructionSetsChangeNothingThatIsPrinted() throws {
    func cases(_ threads: String, _ set: String) throws -> [String] {
      let tool = try Tool(
        ["Fixtures", "--verbose", "--threads", threads], environment: ["PARITY_ISA": set])
      #expect(tool.status == 0)
      return tool.lines.dropLast()
    }
    let baseline = InstructionSet.supported[0].name
    let reference = try cases("1", baseline)
    for set in InstructionSet.supported { #expect(try cases("3", set.name) == reference) }
    let unknown = try Tool(["Fixtures"], environment: ["PARITY_ISA": "z80"])
    #expect(unknown.status == 64)
    #expect(unknown.errors.hasPrefix("PARITY_ISA: expected one of \(baseline)"))
  }

  @Test func oneFailureIsStatusOneAndTheOthersRun() throws {
    let tool = try Tool("Fixtures", "--filter", "^gru", "--tolerance", "exact")
    #expect(tool.status == 1)
    #expect(tool.lines.contains { $0.hasPrefix("failed        gru ") })
    // What is judged by its layout or shapes alone is bit for bit, and passes.
    #expect(tool.lines.contains { $0.hasPrefix("passed        gru-layout-only ") })
    #expect(tool.lines.contains { $0.hasPrefix("passed        gru-zero-batch ") })
  }

  @Test func aBrokenFileIsStatusTwoAndTheOthersRun() throws {
    let folder = try TemporaryFolder()
    let npz = try bytes(of: Repository.fixtures + "/gru.npz")
    try folder.write(npz, to: "good.npz")
    try folder.write(npz.prefix(npz.count / 2), to: "cut.npz")
    try folder.write(try bytes(of: Repository.samples + "/savez.npz"), to: "no-manifest.npz")
    try folder.write("text", to: "stranger.txt")
    let tool = try Tool(folder.path)
    #expect(tool.status == 2)
    #expect(tool.lines.count == 5)
    #expect(
      tool.lines[0]
        == "unreadable    cut          \(folder.path)/cut.npz: end of the central directory: "
        + "expected its record in the last 64 KiB, found none (the file is cut off)")
    #expect(tool.lines[1].hasPrefix("passed        good         "))
    #expect(
      tool.lines[2].hasPrefix(
        "invalid       no-manifest  \(folder.path)/no-manifest.npz: manifest: expected a "
          + "member manifest.json, a text, found none; add one"))
    #expect(
      tool.lines[3] == "note: \(folder.path)/stranger.txt is not a fixture, passed over")
    #expect(tool.lines[4].hasPrefix("3 cases: 1 passed, 1 invalid, 1 unreadable in "))
  }

  @Test func aFolderOfTensorsIsToldWhatMakesItACase() throws {
    let folder = try TemporaryFolder()
    try folder.write(try bytes(of: Repository.samples + "/float32.npy"), to: "outputs/h_n.npy")
    let tool = try Tool(folder.path)
    #expect(tool.status == 2)
    #expect(
      tool.errors.hasPrefix(
        "no case found in \(folder.path); a folder of .npy files is one where it has a "
          + #"manifest.json, at least {"format": "pytorch-parity/1", "module": "LSTM"}"#))
  }

  @Test func whatLeadsOutOrWasNotFetchedIsStatusTwoAndTheOthersRun() throws {
    let (folder, outside) = (try TemporaryFolder(), try TemporaryFolder())
    try folder.write(try bytes(of: Repository.fixtures + "/gru.npz"), to: "good.npz")
    try folder.link(
      "link.npz", to: try outside.copy(Repository.fixtures + "/lstm.npz", as: "lstm.npz"))
    try folder.write("version https://git-lfs.github.com/spec/v1\n", to: "pointer.h5")
    let tool = try Tool(folder.path)
    #expect(tool.status == 2)
    let advice = "; --allow-root permits its folder"
    #expect(tool.lines[0].contains("/link.npz") && tool.lines[0].hasSuffix(advice))
    #expect(tool.lines[1].hasPrefix("passed        good "))
    #expect(tool.lines[2].hasSuffix("run git lfs pull"))
    #expect(tool.lines[3].hasPrefix("3 cases: 1 passed, 2 unreadable in "))
    let allowed = try Tool(folder.path, "--allow-root", outside.path, "--filter", "link|good")
    #expect(allowed.status == 0)
    #expect(allowed.lines.last?.hasPrefix("2 cases: 2 passed in ") == true)
    for arguments in [["--list", folder.path], ["audit", folder.path]] {
      #expect(try Tool(arguments).errors.contains(advice + "\n"), "\(arguments)")
    }
  }

  /// Of a case whose manifest leads out, the case itself says so.
  @Test func aManifestThatLeadsOutIsUnreadable() throws {
    let (folder, outside) = (try TemporaryFolder(), try TemporaryFolder())
    let checkpoint = try outside.copy(
      Repository.fixtures + "/checkpoints/lstm-borrowed.npz", as: "x.npz")
    let path = try folder.copy(Repository.fixtures + "/lstm-borrowed", as: "case")
    let text = String(decoding: try bytes(of: path + "/manifest.json"), as: UTF8.self)
    let own = "../checkpoints/lstm-borrowed.npz"
    #expect(text.contains(own))
    try folder.write(text.replacing(own, with: checkpoint), to: "case/manifest.json")
    let tool = try Tool(folder.path)
    #expect(tool.status == 2)
    #expect(tool.lines[0].hasPrefix("unreadable    case  "))
    #expect(tool.lines[0].hasSuffix("; --allow-root permits its folder"))
    #expect(try Tool(folder.path, "--allow-root", outside.path).status == 0)
  }

  @Test func aReportThatCannotBeWrittenIsStatus70() throws {
    guard (try? bytes(of: "/dev/null")) != nil else { return }
    let tool = try Tool(shell: "\"$0\" Fixtures --filter '^gru$' > /dev/full", in: Repository.root)
    #expect(tool.status == 70 && tool.errors.contains("the report can't be written"))
  }

  @Test func manyJobsAreAsManyAsTheCases() throws {
    #expect(try Tool("Fixtures", "--filter", "^gru$", "--jobs", "9223372036854775807").status == 0)
  }

  @Test func aFilterThatMatchesNothingSaysSo() throws {
    let tool = try Tool("Fixtures", "--filter", "^nothing$")
    #expect(tool.status == 2)
    #expect(tool.errors.hasPrefix("none of the "))
  }

  @Test func aMissingPathAndAnEmptyFolderAreStatusTwo() throws {
    let missing = try Tool("Fixtures", "nonexistent")
    #expect(missing.status == 2)
    #expect(missing.lines[0].hasPrefix("unreadable    nonexistent "))
    #expect(missing.lines[0].hasSuffix("no such file or folder"))
    let empty = try TemporaryFolder()
    let none = try Tool(empty.path)
    #expect(none.status == 2)
    #expect(none.errors == "no case found in \(empty.path)\n")
  }

  /// Other thresholds, and other replicas, are used and not only accepted.
  @Test func sigmaAndReplicasChangeTheVerdict() throws {
    let tight = try Tool("Fixtures", "--filter", "^gru$", "--sigma", "0.01")
    #expect(tight.status == 1 && tight.lines[0].hasPrefix("failed        gru "))
    let few = try Tool("Fixtures", "--filter", "^gru$")
    let many = try Tool("Fixtures", "--filter", "^gru$", "--replicas", "64")
    #expect(many.status == 0 && many.lines[0] != few.lines[0])
  }

  @Test func listPrintsTheNamesAlone() throws {
    let tool = try Tool("Fixtures", "--list", "--filter", "article")
    #expect(tool.status == 0)
    #expect(
      tool.lines == [
        "article-printed", "article-printed-input", "article-reconstructed",
        "article-reconstructed-full",
      ])
  }

  @Test func failFastStops() throws {
    let tool = try Tool("Fixtures", "--tolerance", "exact", "--filter", "lstm", "--fail-fast")
    #expect(tool.status == 1)
    #expect(tool.lines.filter { $0.hasPrefix("failed") }.count == 1)
    #expect(tool.lines.last?.hasPrefix("1 case: 1 failed in ") == true)
  }

  @Test func quietPrintsTheSummaryAlone() throws {
    let tool = try Tool("Fixtures", "--quiet")
    #expect(tool.status == 0 && tool.lines.count == 1)
  }

  @Test func coloursAreForTerminals() throws {
    func isColored(_ arguments: String..., environment: [String: String] = [:]) throws -> Bool {
      let all = ["Fixtures", "--filter", "^gru$"] + arguments
      return try Tool(all, environment: environment).output.contains("\u{1B}[")
    }
    #expect(try !isColored())
    #expect(try isColored("--color", "always"))
    #expect(try isColored("--color", "always", environment: ["NO_COLOR": "1"]))
    #expect(try !isColored("--color", "never"))
  }
}
