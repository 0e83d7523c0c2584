import TestSupport
import Testing

/// `parity-check layout`, as a user runs it.
@Suite struct LayoutTests {
  private let fixture = Repository.fixtures + "/lstm-bidirectional-batch-first/outputs"
  private let ragged = Repository.fixtures + "/gru-packed"

  @Test func pytorchsTensorsHold() throws {
    let tool = try Tool("layout", fixture + "/output.npy", fixture + "/h_n.npy")
    #expect(tool.status == 0 && tool.errors.isEmpty)
    #expect(
      tool.lines == [
        "output (3, 5, 12), h_n (2, 3, 6): 1 layer, 2 directions, batch of 3, 5 steps, "
          + "batch_first=True",
        "holds     output[:, -1, :6] == h_n[0]  18 elements, bit for bit",
        "holds     output[:, 0, 6:] == h_n[1]   18 elements, bit for bit",
      ])
  }

  @Test func lengthsMakeARaggedBatchHold() throws {
    let tensors = [ragged + "/outputs/output.npy", ragged + "/outputs/h_n.npy"]
    let without = try Tool(["layout"] + tensors)
    #expect(without.status == 1)
    #expect(without.lines.last?.contains("pass --lengths") == true)
    let with = try Tool(["layout"] + tensors + ["--lengths", ragged + "/inputs/lengths.npy"])
    #expect(with.status == 0)
    #expect(with.lines.last?.hasPrefix("holds     output[lengths[b]:, b] == 0") == true)
  }

  @Test func tensorsComeOutOfAnyContainer() throws {
    for name in ["lstm-stacked-bidirectional.npz", "gru-stacked-bidirectional-batch-first.h5"] {
      let path = Repository.fixtures + "/" + name
      #expect(try Tool("layout", path, path).status == 0, "\(name)")
      #expect(try Tool("layout", path + ":outputs/output", path + ":outputs/h_n").status == 0)
    }
  }

  @Test func anotherCasesStateIsAViolation() throws {
    let other = Repository.fixtures + "/lstm-bidirectional.h5"
    let own = Repository.fixtures + "/gru-bidirectional.h5"
    let tool = try Tool("layout", own, other)
    #expect(tool.status == 1)
    #expect(tool.lines.filter { $0.hasPrefix("violated") }.count == 2)
  }

  @Test(arguments: [
    (["--hidden-size", "12"], "h_n: expected a last axis of size 12, found (2, 3, 6)"),
    (["--lengths", "none.npy"], "none.npy: no such file or folder"),
  ])
  func contradictionsAreStatusTwo(options: [String], message: String) throws {
    let tool = try Tool(["layout", fixture + "/output.npy", fixture + "/h_n.npy"] + options)
    #expect(tool.status == 2)
    #expect(tool.errors.hasPrefix("error: ") && tool.errors.hasSuffix(message + "\n"))
  }

  @Test func shapesThatNoModuleGivesAreStatusTwo() throws {
    let tool = try Tool("layout", fixture + "/h_n.npy", fixture + "/output.npy")
    #expect(tool.status == 2)
    #expect(tool.errors.hasPrefix("error: \(fixture)/h_n.npy and \(fixture)/output.npy: output: "))
    #expect(tool.errors.hasSuffix("; are output and h_n exchanged?\n"))
    let member = try Tool("layout", Repository.fixtures + "/gru.npz:nothing", "x.npy")
    #expect(member.status == 2)
    #expect(member.errors.contains(": nothing: no such tensor; the file holds "))
  }

  @Test func roundedTensorsHoldWithinATolerance() throws {
    let printed = Repository.fixtures + "/article-printed/outputs"
    #expect(try Tool("layout", printed + "/output.npy", printed + "/h_n.npy").status == 0)
    let (output, state) = (
      printed + "/output.npy", Repository.fixtures + "/article-reconstructed-full.h5:/outputs/h_n"
    )
    #expect(try Tool("layout", output, state).status == 1)
    #expect(try Tool("layout", output, state, "--rtol", "0", "--atol", "5.1e-5").status == 0)
    #expect(try Tool("layout", output, state, "--rtol", "0").status == 64)
  }
}
