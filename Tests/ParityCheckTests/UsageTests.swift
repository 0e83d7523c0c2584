import TestSupport
import Testing

/// What is asked of the tool in a wrong way, and what it says of how it is asked.
@Suite struct UsageTests {
  @Test(arguments: [
    ["Fixtures", "--bogus"], [], ["Fixtures", "--jobs", "0"], ["Fixtures", "--rtol", "1"],
    ["Fixtures", "--rtol", "-1", "--atol", "0"], ["Fixtures", "--rtol", "nan", "--atol", "0"],
    ["Fixtures", "--tolerance", "loose"], ["Fixtures", "--filter", "("],
    ["Fixtures", "--tolerance", "torch", "--rtol", "1", "--atol", "1"],
    ["Fixtures", "--sigma", "-1"], ["Fixtures", "--replicas", "17"],
    ["Fixtures", "--sigma", "nan"],
    ["Fixtures", "--sigma", "4", "--tolerance", "torch"], ["Fixtures", "--verbose", "--quiet"],
    ["Fixtures", "--color", "sometimes"], ["Fixtures", "--threads", "0"], ["layout"],
    ["bench", "--threads", "0"], ["bench", "--seconds", "-1"], ["bench", "--shape", "("],
    ["layout", "one.npy"], ["layout", "--bogus"],
  ])
  func wrongUsageIsStatus64(arguments: [String]) throws {
    let tool = try Tool(arguments)
    #expect(tool.status == 64)
    #expect(!tool.errors.isEmpty && tool.output.isEmpty)
  }

  @Test(arguments: [
    ["Fixtures", "--filter"], ["audit", "Fixtures", "--filter"], ["bench", "--shape"],
  ])
  func anOptionThatIsWrongIsNamed(arguments: [String]) throws {
    let option = try #require(arguments.last)
    #expect(
      try Tool(arguments + ["("]).errors.contains(
        "Error: \(option): expected a regular expression, found '('."))
  }

  @Test func helpShowsOptionsAndSubcommands() throws {
    for arguments in [["--help"], ["help"]] {
      let tool = try Tool(arguments)
      #expect(tool.status == 0)
      for expected in ["--filter", "--tolerance", "--fail-fast", "SUBCOMMANDS", "layout"] {
        #expect(tool.output.contains(expected), "\(expected)")
      }
    }
    #expect(try Tool("--version").lines.count == 1)
  }

  /// A subcommand is parsed as a root, so that nothing but an option of ArgumentParser's
  /// that its documentation leaves out puts the program's name before its own.
  @Test func aSubcommandsHelpShowsHowToCallIt() throws {
    let all = try Tool("--help").output
    let listed = try #require(all.firstRange(of: "SUBCOMMANDS:\n")).upperBound
    let names = all[listed...].split(separator: "\n").compactMap {
      $0.wholeMatch(of: /\s\s(\w+)\s\s.*/).map { String($0.1) }
    }
    #expect(names == ["inspect", "run", "export", "audit", "layout", "compare", "trace", "bench"])
    for name in names {
      let tool = try Tool(name, "--help")
      #expect(tool.status == 0 && tool.output.contains("\nUSAGE: parity-check \(name) "), "\(name)")
      #expect(try Tool("help", name).output == tool.output, "\(name)")
      let wrong = try Tool(name, "--bogus").errors
      #expect(wrong.contains("\nUsage: parity-check \(name) "), "\(wrong)")
    }
  }

  @Test func aFolderNamedLikeASubcommandCanBeChecked() throws {
    let folder = try TemporaryFolder()
    try folder.write(try bytes(of: Repository.fixtures + "/gru.npz"), to: "layout/gru.npz")
    let tool = try Tool("./layout", in: folder.path)
    #expect(tool.status == 0)
    #expect(tool.lines[0].hasPrefix("passed        gru "))
  }
}
