import ArgumentParser
import ParityJudging
import ParityReports
import Platform
import RecurrentBenchmark
import RecurrentEngine
import RecurrentModel
import TensorCore

/// `parity-check bench`.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    _superCommandName: "parity-check",
    abstract: "Measure the engine's forward pass.",
    discussion: """
      Shapes are named module-I-H-layers-B-T; all modules are bidirectional. For each, the \
      median of its forward passes, and how much that is of what the machine can do: the \
      share of its fused multiply-adds, and, where a batch is too small to use them, of the \
      bound that reading all weights once a step sets. Both are measured beside it.
      """)

  @Option(
    help: """
      Only the shapes whose name matches this regular expression; or the name of another, \
      as in lstm-40-80-2-16-50 (-ragged, -float64).
      """)
  var shape: String?

  @Option(help: "How many threads to use (default: one for each core).")
  var threads: Int?

  @Option(help: "How long to repeat each shape, in seconds.")
  var seconds = 0.5

  @Flag(help: "Print JSON, one object a line.")
  var json = false

  @Flag(help: "Print the names of the shapes.")
  var list = false

  func validate() throws {
    _ = try NameFilter(shape, option: "--shape")
    if let threads, threads < 1 {
      throw ValidationError("--threads: expected 1 or more, found \(threads).")
    }
    guard seconds >= 0, seconds.isFinite else {
      throw ValidationError("--seconds: expected 0 or more, found \(seconds).")
    }
  }

  func run() throws {
    let filter = try NameFilter(shape, option: "--shape")
    var shapes = BenchmarkShape.standard.filter { filter.matches($0.name) }
    if shapes.isEmpty { shapes = [shape.flatMap(BenchmarkShape.init(named:))].compactMap(\.self) }
    guard !shapes.isEmpty else {
      Terminal.printError("no shape matches --shape; --list names them")
      throw ExitCode(RunStatus.unusable.rawValue)
    }
    if list { return Terminal.print(shapes.map(\.name)) }
    guard let set = InstructionSet.chosen else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    if !json { Terminal.print([Self.header(set, threads ?? Machine.cores)]) }
    for shape in shapes {
      let result = try EngineBenchmark(shape)
        .run(threads: threads ?? Machine.cores, on: set, for: seconds)
      Terminal.print([
        json ? String(decoding: try encoder.encode(result), as: UTF8.self) : Self.line(result)
      ])
    }
  }

  /// What stands above the table.
  private static func header(_ set: InstructionSet, _ threads: Int) -> String {
    "\(set.name), \(NumberText.count(threads, "thread"))\n"
      + Style.padded("shape", to: 32) + "   median ms   GFLOP/s   of FMA peak   of bound"
  }

  /// One line of the table.
  private static func line(_ result: EngineBenchmark.Result) -> String {
    let milliseconds = result.seconds * 1000
    let time =
      milliseconds < 1
      ? NumberText.printed("%.5f", milliseconds) : NumberText.short(milliseconds)
    return Style.padded(result.shape, to: 32)
      + Style.aligned(time, to: 12)
      + Style.aligned(NumberText.short(result.gigaflops), to: 10)
      + Style.aligned(NumberText.percent(result.gigaflops / result.peakGigaflops), to: 14)
      + Style.aligned(NumberText.percent(result.gigaflops / result.boundGigaflops), to: 11)
  }
}
