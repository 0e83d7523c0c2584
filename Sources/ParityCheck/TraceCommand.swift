import ArgumentParser
import ParityDiagnosis
import ParityFixtures
import ParityJudging
import ParityReports
import ParityTracing
import Platform
import RecurrentModel
import TensorArchives
import TensorComparison
import TensorCore

/// `parity-check trace`.
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    _superCommandName: "parity-check",
    abstract: "Find the first stage of a whole model that is wrong, and not merely louder.",
    usage: """
      parity-check trace <reference> <actual> ... [--map <value>=<tensor>] ...
                         [--rename s/<pattern>/<replacement>/] ... [--order <file>]
                         [--actual-arithmetic <arithmetic>] [--twice <file>]
      """,
    discussion: """
      REFERENCE is a recording (parity_check.record in Python writes one), a fixture of several \
      modules, or any file of named tensors. ACTUAL are the files or folders that hold what an \
      implementation computed at the same stages, under the same names or names like them. \
      Each stage is judged by the rounding error σ that was recorded for it, in the order of \
      execution: it agrees; it starts here, where what it is given is right and it is not; or \
      it follows, where it is off by no more than what it is given explains. A stage that this \
      program computes is also computed by itself from what the implementation gave it.

      Exit status: 0 all stages agree; 1 some stage is wrong or missing; 2 a file can't be read, \
      or holds nothing of the reference.
      """)

  @Argument(help: "A recording, a fixture, or a file of named tensors.", completion: .file())
  var reference: String

  @Argument(help: "Files or folders with the implementation's tensors.", completion: .file())
  var actual: [String]

  @OptionGroup var map: NameMapOptions

  @Option(
    help: ArgumentHelp(
      """
      Rename the implementation's tensors before they are looked for, such as \
      's/^model\\.//'. Can be given several times.
      """, valueName: "s/pattern/replacement/"))
  var rename: [String] = []

  @Option(
    help: """
      A text file with the names of the stages, one a line, in the order of execution, for a \
      reference that states none.
      """, completion: .file())
  var order: String?

  @Option(
    help: """
      What the implementation computes in, where that is not what the reference does: float16, \
      bfloat16, tf32, float32 or float64.
      """)
  var actualArithmetic: Arithmetic?

  @Option(
    help: "Another run of the implementation, which must give the same bits.",
    completion: .file())
  var twice: String?

  @Option(
    parsing: .unconditional,
    help: "How many standard deviations of rounding noise an element may be off (default: 8).")
  var sigma: Double?

  @Flag(inversion: .prefixedNo, help: "Compute stages that are off by themselves.")
  var replay = true

  @Option(help: "How long to look for the mistake of a stage: off, fast or full.")
  var diagnose = Diagnostician.Effort.fast

  @Flag(name: [.short, .long], help: "Print all that was measured, of every stage.")
  var verbose = false

  @OptionGroup var color: ColorOptions

  func validate() throws {
    guard !actual.isEmpty else { throw ValidationError("Missing expected argument '<actual> ...'") }
    if let sigma, !(sigma > 0 && sigma.isFinite) {
      throw ValidationError("--sigma: expected more than 0, found \(sigma).")
    }
    do { _ = try rules } catch { throw ValidationError("\(error).") }
  }

  private var rules: [RenameRule] {
    get throws { try rename.map { try RenameRule($0) } }
  }

  func run() throws {
    do {
      let stages = try referenceStages()
      let tensors = try ActualTensors(actual.map(opened), renaming: rules)
      let matching = try StageMatching(stages, tensors, map: map.names())
      try trace(stages, tensors, matching)
    } catch let error where error is ArchiveError || error is CaseError || error is InvalidValue {
      try Terminal.fail("\(error)")
    }
  }

  private func opened(_ path: String) throws(ArchiveError) -> any TensorArchive {
    try TensorContainer.open(path, namingFiles: true)
  }

  private func referenceStages() throws -> ReferenceStages {
    let archive = try opened(reference)
    if let recording = try Recording(archive) {
      guard order == nil else {
        throw InvalidValue("--order", expected: "none for a recording, which has one", found: "one")
      }
      return ReferenceStages(recording)
    }
    if try archive.manifest() != nil, order == nil {
      let location = CaseLocation(name: TensorContainer.stem(of: reference), path: reference)
      return try ReferenceStages(try ParityCase.load(location))
    }
    let names = try order.map(namesInOrder)
    return try ReferenceStages(archive, order: names)
  }

  /// The lines of the file that `--order` names.
  private func namesInOrder(_ path: String) throws -> [String] {
    let text = String(decoding: try FileBytes.read(path), as: UTF8.self)
    let names = text.split(whereSeparator: \.isNewline).map { line in
      String(line.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }.filter { !$0.isEmpty }
    var seen: Set<String> = []
    if let twice = names.first(where: { !seen.insert($0).inserted }) {
      throw InvalidValue(
        "--order", expected: "each stage once", found: "\(twice) twice in \(path)")
    }
    guard !names.isEmpty else {
      throw InvalidValue("--order", expected: "a name on each line", found: "none in \(path)")
    }
    return names
  }

  private func trace(
    _ stages: ReferenceStages, _ tensors: ActualTensors, _ matching: StageMatching
  ) throws {
    note(stages, matching, tensors)
    var options = Trace.Options()
    options.actualArithmetic = actualArithmetic
    options.largestZ = sigma ?? NoiseLimits.standardZ
    options.replays = replay
    options.effort = diagnose
    let text = TraceText(color.style, isVerbose: verbose, stages: stages.stages)
    Terminal.print([text.head])
    let start = ContinuousClock.now
    var trace = Trace(stages, options)
    var results: [StageResult] = []
    func source(_ value: String) throws(ArchiveError) -> (any TensorSource)? {
      guard let name = matching.actual[value] else { return nil }
      return try tensors.source(of: name)
    }
    let hasGradients = matching.actual.keys.contains(where: ReferenceStages.isGradient)
    for index in stages.stages.indices {
      let stage = stages.stages[index]
      // Few dump the gradients of a model.
      guard hasGradients || !stage.isBackward else { break }
      let result = trace.judge(index, source)
      // Nor need anybody dump what the model's own code makes.
      guard result.status != .missing || !stage.isBetweenModules else { continue }
      results.append(result)
      Terminal.print(text.lines(result))
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    Terminal.print(text.summary(results, isOrdered: stages.isOrdered, seconds: seconds))
    if case .shapes = matching.way, let start = results.first(where: \.isStart),
      let name = start.stage.outputs.lazy.compactMap({ matching.actual[$0] }).first
    {
      Terminal.print([
        Style.printable(
          "\(start.stage.name) was compared with \(name): if that is another stage, state the "
            + "pairs with --map")
      ])
    }
    let isSame = try isDeterministic(stages, matching, source)
    if results.contains(where: { $0.status == .unreadable }) {
      throw ExitCode(RunStatus.unusable.rawValue)
    }
    let passes = results.allSatisfy { $0.status == .agrees }
    if !passes || !isSame { throw ExitCode(RunStatus.failed.rawValue) }
  }

  /// Whether a second run gives the same bits; true where none is given.
  private func isDeterministic(
    _ stages: ReferenceStages, _ matching: StageMatching, _ source: Trace.Actual
  ) throws -> Bool {
    guard let twice else { return true }
    let other = try ActualTensors([opened(twice)], renaming: rules)
    let result = try Determinism(stages.stages.flatMap(\.outputs), source) {
      value throws(ArchiveError) in
      guard let name = matching.actual[value] else { return nil }
      return try other.source(of: name)
    }
    guard let first = result.firstDifference else {
      guard result.compared > 0 else {
        throw InvalidValue("--twice", expected: "the same names as in \(actual[0])", found: "none")
      }
      Terminal.print(["the second run gives the same bits, in \(result.compared) values"])
      return true
    }
    Terminal.print(["not deterministic: the two runs part at \(Style.printable(first))"])
    return false
  }
}
