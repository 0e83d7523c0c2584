import ArgumentParser
import ExternalEngine
import ParityDiagnosis
import ParityFixtures
import ParityJudging
import ParityReports
import Platform
import RecurrentModel
import TensorArchives

/// `parity-check` without a subcommand: judges cases.
struct ParityCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parity-check",
    abstract: "Judge whether recurrent layers compute what PyTorch computes.",
    usage: """
      parity-check <path> ... [options]
      parity-check layout <output> <h_n> [options]
      parity-check compare <expected> <actual> [options]
      parity-check audit <path> ... [options]
      parity-check bench [options]
      """,
    discussion: """
      PATH is a fixture (.npz, .h5, .safetensors, .pt, or a folder with manifest.json), or a \
      folder that is searched for fixtures. A folder named like a subcommand is checked as ./layout.

      Exit status: 0 all cases passed or were skipped with a reason; 1 a case failed; \
      2 a fixture is invalid or unreadable, a path is missing, or there is no case; \
      64 wrong usage; 70 an error of parity-check itself.
      """,
    version: parityCheckVersion,
    subcommands: [
      InspectCommand.self, RunCommand.self, ExportCommand.self, AuditCommand.self,
      LayoutCommand.self, CompareCommand.self, TraceCommand.self, BenchCommand.self,
    ])

  @Argument(help: "Fixtures, or folders to search for them.", completion: .file())
  var path: [String]

  @Option(help: "Judge only the cases whose name matches this regular expression.")
  var filter: String?

  @Option(
    help: """
      A folder that symbolic links and manifests may lead into, beside PATH itself. Can be \
      given several times.
      """,
    completion: .directory)
  var allowRoot: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Judge only these results of each case, with commas between them: output, where h_n and \
      c_n have not been kept.
      """, valueName: "results"))
  var only: String?

  @Flag(
    help: """
      Let a case fail whose pass says little: where zeros would pass too, where less than all \
      was compared, where the result does not move with the input.
      """)
  var strict = false

  @Flag(help: "Print the names of the cases and judge none.")
  var list = false

  @OptionGroup(title: "Tolerance")
  var tolerance: ToleranceOptions

  @OptionGroup(title: "Another implementation")
  var actual: ActualOptions

  @Option(
    help: """
      How long to look for the known mistake that explains a failure: off, fast (some seconds \
      a case) or full (a minute).
      """)
  var diagnose = Diagnostician.Effort.fast

  @Option(help: "How many cases are judged at a time, at most (default: one for each core).")
  var jobs: Int?

  @Option(
    help: """
      How many threads the engine's forward pass uses, at most (default: one for each core); \
      its results have the same bits with any number.
      """)
  var threads: Int?

  @Flag(help: "Stop after the first case that is neither passed nor skipped.")
  var failFast = false

  @Flag(name: [.short, .long], help: "Print all that was measured, in every case.")
  var verbose = false

  @Flag(name: [.short, .long], help: "Print only what did not pass, and the summary.")
  var quiet = false

  @OptionGroup(title: "Output")
  var color: ColorOptions

  func validate() throws {
    if verbose && quiet { throw ValidationError("--verbose and --quiet exclude each other.") }
    if let jobs, jobs < 1 { throw ValidationError("--jobs: expected 1 or more, found \(jobs).") }
    if let threads, threads < 1 {
      throw ValidationError("--threads: expected 1 or more, found \(threads).")
    }
    _ = try NameFilter(filter, option: "--filter")
  }

  func run() async throws {
    let found = try FoundCases(in: path, allowing: allowRoot, matching: filter)
    let cases = found.cases
    guard !list else { return try printList(found) }

    let unreadable = found.errors.map(CaseResult.init(unreadable:))
    let detail: TextReport.Detail = quiet ? .quiet : verbose ? .verbose : .normal
    var report = TextReport(
      style: color.style, detail: detail,
      names: (unreadable.map(\.location) + cases).map(\.name))
    var statuses: [CaseStatus] = []
    // Of the cases that another implementation was asked for, whether it has declined each.
    var asked: [Bool] = []
    func note(_ status: CaseStatus, isAsked: Bool, isDeclined: Bool) {
      statuses.append(status)
      if isAsked { asked.append(isDeclined) }
    }
    func add(_ result: CaseResult) {
      note(result.status, isAsked: result.subject == .outputs, isDeclined: result.isDeclined)
      Terminal.print(report.lines(result))
      WatchedProcess.current?.send(.printed(PrintedCase(result)))
    }

    let start = ContinuousClock.now
    // What was printed by the processes that this one takes over from.
    let orders = WatchedProcess.current?.orders ?? WatchOrders()
    for printed in orders.printed {
      let status = CaseStatus(rawValue: printed.status) ?? .unreadable
      note(status, isAsked: printed.isAsked, isDeclined: printed.isDeclined)
      report.count(status, isRemarked: printed.isRemarked, isDeclined: printed.isDeclined)
    }
    unreadable.dropFirst(orders.printed.count).forEach(add)
    let first = max(0, orders.printed.count - unreadable.count)
    let crashed = Dictionary(
      uniqueKeysWithValues: orders.crashes.compactMap { place, reason in
        place < first
          ? nil
          : (
            place - first,
            CaseResult(
              cases[place],
              .unreadable(ArchiveError(path: cases[place].path, .unreadable(reason))))
          )
      })
    let source = try actual.source(for: cases)
    let subject =
      source.map { Subject.supplied($0, in: actual.stated) }
      ?? .engine(threads: threads ?? Machine.cores)
    let run = JudgeRun(
      Judge(
        override: tolerance.rule, noiseWork: tolerance.noiseWork,
        only: only.map { $0.split(separator: ",").map(String.init) },
        strict: strict, subject: subject,
        diagnostician: Diagnostician(diagnose), known: KnownOutputs(found.all)),
      jobs: orders.isAlone ? 1 : try actual.jobs(atMost: jobs ?? Machine.cores),
      failFast: failFast)
    let progress = ProgressLine(total: cases.count)
    let rest = Array(cases.dropFirst(first))
    await run.run(
      rest, known: crashed,
      starting: { place in
        WatchedProcess.current?.send(.started(first + place))
        progress.show(rest[place])
      }, ending: { WatchedProcess.current?.send(.judged(first + $0)) }
    ) { result in
      progress.above { add(result) }
    }
    progress.erase()
    await source?.finish()
    // Those of the cases that --fail-fast has left behind.
    RunningEngines.shared.end()
    for file in found.otherFiles {
      Terminal.print(["note: \(Style.printable(file)) is not a fixture, passed over"])
    }
    if statuses.isEmpty {
      let places = Style.printable(path.joined(separator: ", "))
      Terminal.printError(
        found.all.isEmpty
          ? "no case found in \(places)" + hint(on: found.otherFiles)
          : "none of the \(found.all.count) cases in \(places) matches --filter")
    } else {
      Terminal.print([report.summary(seconds: (ContinuousClock.now - start) / .seconds(1))])
    }
    let isDeclined = !asked.isEmpty && asked.allSatisfy(\.self)
    if isDeclined {
      Terminal.printError("nothing was judged: the engine has skipped every case")
    }
    throw ExitCode(RunStatus(of: statuses, isDeclined: isDeclined).rawValue)
  }

  /// How single `.npy` files become a case; empty where there are none.
  private func hint(on files: [String]) -> String {
    guard files.contains(where: { TensorContainer(path: $0) != nil }) else { return "" }
    return "; a folder of .npy files is one where it has a manifest.json, at least "
      + MissingManifest.least(.lstm)
  }

  /// Prints the names of the cases, for `--list`.
  private func printList(_ found: FoundCases) throws {
    Terminal.print(found.cases.map { Style.printable($0.name) })
    found.printErrors()
    if found.cases.isEmpty || !found.errors.isEmpty {
      throw ExitCode(RunStatus.unusable.rawValue)
    }
  }
}

extension Diagnostician.Effort: ExpressibleByArgument {}
