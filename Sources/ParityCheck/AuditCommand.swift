import ArgumentParser
import ParityDiagnosis
import ParityFixtures
import ParityJudging
import ParityReports
import TensorCore

/// `parity-check audit`.
struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    _superCommandName: "parity-check",
    abstract: "Plant bugs into fixtures, and say which ones they do not see.",
    usage: "parity-check audit <path> ... [--require <percent>] [--filter <filter>]",
    discussion: """
      Every known mistake, and 10% more and less in the largest element of each parameter, is \
      planted into every case that passes, one at a time. A case that then fails has killed \
      it. Changes as small as rounding are planted too, and must survive.

      Exit status: 0 enough kinds of bug are killed by some case, and every control survived; \
      1 not; 2 a case can't be read, a path is missing, or there is no case to audit.
      """)

  @Argument(help: "Fixtures, or folders to search for them.", completion: .file())
  var path: [String]

  @Option(
    help: ArgumentHelp(
      "How many of the kinds of bug that apply to some case must be killed by one.",
      valueName: "percent"))
  var require = "100%"

  @Flag(
    help: """
      Count bugs that show in rare numbers only, such as subnormal ones, where no case sees them.
      """)
  var rare = false

  @Option(help: "Audit only the cases whose name matches this regular expression.")
  var filter: String?

  @Option(
    help: "A folder that symbolic links and manifests may lead into, beside PATH itself.",
    completion: .directory)
  var allowRoot: [String] = []

  @Flag(name: [.short, .long], help: "Print what each case can't see, and why.")
  var verbose = false

  @OptionGroup var color: ColorOptions

  func validate() throws {
    _ = try share()
    _ = try NameFilter(filter, option: "--filter")
  }

  /// The share of `--require`, from 0 to 1.
  private func share() throws -> Double {
    let digits = require.hasSuffix("%") ? String(require.dropLast()) : require
    guard let percent = Double(digits), 0...100 ~= percent else {
      throw ValidationError("--require: expected 0% to 100%, found \(require).")
    }
    return percent / 100
  }

  func run() throws {
    let found = try FoundCases(in: path, allowing: allowRoot, matching: filter)
    found.printErrors()
    let start = ContinuousClock.now
    let audit = SetAudit(
      concurrentMap(found.cases.count) { CaseAudit(found.cases[$0]) },
      countingRare: rare)
    guard !audit.audited.isEmpty else {
      Terminal.printError(
        "no case to audit in \(Style.printable(path.joined(separator: ", ")))")
      throw ExitCode(RunStatus.unusable.rawValue)
    }
    let text = AuditText(color.style, isVerbose: verbose)
    Terminal.print(text.lines(audit))
    Terminal.print(text.summary(audit, seconds: (ContinuousClock.now - start) / .seconds(1)))
    let judged = RunStatus(of: audit.cases.map(\.status))
    guard judged == .passed else { throw ExitCode(judged.rawValue) }
    if !found.errors.isEmpty { throw ExitCode(RunStatus.unusable.rawValue) }
    if audit.score < (try share()) || !audit.killedControls.isEmpty {
      throw ExitCode(RunStatus.failed.rawValue)
    }
  }
}
