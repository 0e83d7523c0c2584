import ArgumentParser
import ExternalEngine
import ParityFixtures
import ParityJudging
import ParityReports
import RecurrentModel
import TensorCore

/// The options of `parity-check` by which another implementation's outputs are judged in place of
/// our own engine's.
struct ActualOptions: ParsableArguments {
  @Option(
    help: """
      Judge outputs that were made elsewhere: a folder with a file for each case, named like \
      it, that holds output, h_n and c_n.
      """,
    completion: .directory)
  var actual: String?

  @Option(
    help: ArgumentHelp(
      """
      Judge what a program computes: it is run for each case, and for each chunk of a stream, \
      with {case} in place of the case's path and {out} of the path, without an ending, to \
      write output, h_n and c_n to. A case for which it ends with status 77 is skipped. The \
      first case is run twice, and must give the same bits.
      """, valueName: "command"))
  var engine: String?

  @Option(
    help: ArgumentHelp(
      """
      Judge what a program computes that is started once for each job, and not for each case: \
      for each it is given a line, {"case": PATH, "out": PATH}, and answers with another, \
      {"status": "done"}, or "unsupported" or "failed" with a "reason". All that is said \
      of --engine holds for it too.
      """, valueName: "command"))
  var engineServer: String?

  @Option(
    help: """
      How --engine is handed a case: original (as it stands), or written anew, without its \
      outputs, as npz, h5, safetensors, or a folder of .npy.
      """)
  var engineInput: CaseContainer?

  @Option(help: "How many seconds --engine may take for a case (default: 60).")
  var engineTimeout: Double?

  @Flag(help: "Run --engine twice on every case, not on the first alone.")
  var twice = false

  @Option(
    help: """
      Keep the files that --engine was given and wrote, in this folder, in one of each case's \
      name.
      """, completion: .directory)
  var keep: String?

  @OptionGroup var map: NameMapOptions

  @Option(
    help: """
      What the other implementation computes in, where it is not what the case asks for: \
      float16, bfloat16, tf32, float32 or float64. Its rounding is then expected of it.
      """)
  var actualArithmetic: Arithmetic?

  @Option(
    help: """
      How accurate the other implementation's sigmoid and tanh are: relative (to some units in \
      the last place of the result, the default) or absolute (to some 1e-7 of 1, as ONNX \
      Runtime's).
      """)
  var actualActivations: ActivationAccuracy?

  @Option(
    help: """
      The type of fewer bits in which the other implementation keeps its weights: \
      \(WeightStorage.allCases.map(\.rawValue).joined(separator: ", ")). Its outputs are then \
      held to what the formulas give with weights rounded so, and not to PyTorch's results.
      """)
  var actualWeights: WeightStorage?

  /// What is stated of how the outputs were computed.
  var stated: StatedComputation {
    StatedComputation(
      arithmetic: actualArithmetic, activations: actualActivations ?? .relative,
      weights: actualWeights)
  }

  func validate() throws {
    if [actual, engine, engineServer].count(where: { $0 != nil }) > 1 {
      throw ValidationError("--actual, --engine and --engine-server exclude each other.")
    }
    let isEngine = engine != nil || engineServer != nil
    let isActual = actual != nil || isEngine
    if !isEngine, engineInput != nil || engineTimeout != nil || twice || keep != nil {
      throw ValidationError(
        "--engine-input, --engine-timeout, --twice and --keep belong to --engine or "
          + "--engine-server.")
    }
    if !isActual, actualArithmetic != nil {
      throw ValidationError("--actual-arithmetic \(Self.belongs)")
    }
    if !isActual, actualActivations != nil {
      throw ValidationError("--actual-activations \(Self.belongs)")
    }
    if !isActual, actualWeights != nil {
      throw ValidationError("--actual-weights \(Self.belongs)")
    }
    if let engineTimeout, !(engineTimeout > 0 && engineTimeout <= Self.longestTimeout) {
      throw ValidationError(
        "--engine-timeout: expected more than 0 and at most \(Int(Self.longestTimeout)), "
          + "found \(engineTimeout).")
    }
    if !isActual, !map.map.isEmpty {
      throw ValidationError("\(NameMap.option) \(Self.belongs)")
    }
    for name in try map.names().actual.keys.sorted() where !Results.isName(name) {
      throw ValidationError(
        "\(NameMap.option): expected output, h_n or c_n before the =, found \(name).")
    }
    _ = try command()
  }

  /// What is said of an option that means nothing for our own engine.
  private static let belongs = "belongs to --actual, --engine or --engine-server."

  /// Ten days in seconds: a sleep can't be of any length.
  private static let longestTimeout = 864_000.0

  /// The command of `--engine` or `--engine-server`; nil where neither is given.
  private func command() throws -> EngineCommand? {
    do {
      if let engineServer { return try EngineCommand(parsing: engineServer, as: .server) }
      return try engine.map { try EngineCommand(parsing: $0) }
    } catch {
      throw ValidationError("\(error).")
    }
  }

  /// Where the outputs come from; nil for our own engine.
  ///
  /// - Parameter cases: those that are judged.
  /// - Throws: `ExitCode` where the folder of `--actual` is none, once that is printed.
  func source(for cases: [CaseLocation]) throws -> (any OutputsSource)? {
    let map = try map.names()
    if let command = try command() {
      EngineSignals.endEngines()
      return ExternalEngine(
        command, container: engineInput ?? .original,
        timeLimit: .milliseconds(Int64((engineTimeout ?? 60) * 1000)), map: map,
        folders: EngineFolders(kept: keep),
        twice: twice ? .every : .one(path: Self.firstComputed(cases)?.path))
    }
    guard let actual else { return nil }
    let folder = OutputsFolder(actual, map: map)
    do {
      try folder.checkIsFolder()
    } catch {
      try Terminal.fail("\(error)")
    }
    return folder
  }

  /// How many cases may be judged at a time: with a program, no more than there are files that this
  /// process may open, since a program that is started without them may end this process.
  ///
  /// - Throws: `ExitCode` where there are too few for one, once that is printed.
  func jobs(atMost jobs: Int) throws -> Int {
    guard engine != nil || engineServer != nil else { return jobs }
    let free = OpenFiles.free(atMost: OpenFiles.ownCount + jobs * OpenFiles.engineCount)
    let possible = (free - OpenFiles.ownCount) / OpenFiles.engineCount
    guard possible > 0 else {
      let needed = OpenFiles.ownCount + OpenFiles.engineCount
      Terminal.printError(
        "--engine: expected to be let open \(needed) more files, found \(free); "
          + "raise the limit with ulimit -n")
      throw ExitCode(RunStatus.unusable.rawValue)
    }
    return min(jobs, possible)
  }

  /// The first case that a program can compute; nil where there is none.
  private static func firstComputed(_ cases: [CaseLocation]) -> CaseLocation? {
    cases.first { (try? ParityCase.load($0))?.outputsRequest.canBeComputed == true }
  }
}

extension CaseContainer: ExpressibleByArgument {}
extension Arithmetic: ExpressibleByArgument {}
extension ActivationAccuracy: ExpressibleByArgument {}
extension WeightStorage: ExpressibleByArgument {}
