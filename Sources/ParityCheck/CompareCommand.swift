import ArchiveComparison
import ArgumentParser
import ParityDiagnosis
import ParityFixtures
import RecurrentModel
import ParityJudging
import ParityReports
import TensorArchives
import TensorComparison

/// `parity-check compare`.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    _superCommandName: "parity-check",
    abstract: "Compare the tensors of two files or folders, whatever they are of.",
    usage: """
      parity-check compare <expected> <actual> [--tolerance <tolerance>]
                           [--rtol <rtol> --atol <atol>] [--tensor <name>=<rtol>,<atol>] ...
                           [--map <expected>=<actual>] ... [--ignore-extra] [--ignore-type]
                           [--shape <3,7,5>]
      """,
    discussion: """
      EXPECTED and ACTUAL are files of any supported kind, or folders of them. FILE:NAME names \
      one tensor of a file that holds several. Tensors belong together by their names; two \
      that stand alone belong together whatever their names, and so do the outputs/NAME of a \
      case and the NAME of a file of results. A tensor that is missing, extra, or of another \
      shape or element type differs. Integers must be equal; a NaN agrees with \
      a NaN only, and an infinity with the same.

      CHECKPOINT:NAME names a recurrent module (parity-check inspect lists them): its parameters \
      are compared under PyTorch's names, whatever framework wrote the file. Where they differ, \
      both modules are run on random numbers, and what was done to the weights is named, such as \
      gates in another order. Biases that are shared out otherwise, to the same sum, are no \
      difference, unless a tolerance is given.

      Files are read in parts: the largest need little memory, but for tensors that are \
      deflated or in Fortran order, which are held whole.

      Exit status: 0 all tensors agree, or but for biases of the same sum; 1 some tensor differs; \
      2 a file can't be read, or no tensor is in both.
      """)

  enum Tolerance: String, ExpressibleByArgument, CaseIterable {
    case torch
    case exact
  }

  @Argument(completion: .file())
  var expected: String

  @Argument(completion: .file())
  var actual: String

  @Option(
    help: """
      torch (torch.testing's defaults for the coarser of the two element types) or exact (bit \
      for bit).
      """)
  var tolerance: Tolerance?

  @OptionGroup var bound: BoundOptions

  @Option(
    help: ArgumentHelp(
      """
      The tolerance of one tensor, in place of any other; of integers too. Can be given \
      several times.
      """,
      valueName: "name=rtol,atol"))
  var tensor: [String] = []

  @OptionGroup var raw: RawShapeOptions

  @OptionGroup var map: NameMapOptions

  @Flag(help: "Let ACTUAL hold tensors that EXPECTED does not.")
  var ignoreExtra = false

  @Flag(help: "Let the same numbers stand in another element type.")
  var ignoreType = false

  @Flag(name: [.short, .long], help: "Print all that was measured, of every tensor.")
  var verbose = false

  @OptionGroup var color: ColorOptions

  func validate() throws { _ = try rules() }

  func run() throws {
    let sides: ComparedSides
    let pair: ArchivePair
    do {
      sides = try ComparedSides(
        map: try map.names().actual, expected: TensorReference(expected, shape: raw.shape),
        actual: TensorReference(actual, shape: raw.shape))
      let (expected, actual) = (sides.expected.tensors, sides.actual.tensors)
      for file in expected.archive.otherFiles + actual.archive.otherFiles {
        Terminal.print(["note: \(Style.printable(file)) holds no tensors, passed over"])
      }
      if let note = sides.note { Terminal.print(["note: \(Style.printable(note))"]) }
      pair = try ArchivePair(expected: expected, actual: actual, rules: try rules())
    } catch let error where error is ArchiveError || error is CaseError {
      try Terminal.fail("\(error)")
    }
    let start = ContinuousClock.now
    let results = pair.results()
    let text = ComparisonText(color.style, isVerbose: verbose, names: results.map(\.name))
    Terminal.print(results.flatMap { text.lines($0.name, $0.result) })
    guard !pair.matching.pairs.isEmpty else {
      try Terminal.fail(
        results.isEmpty
          ? "nothing to compare: neither \(expected) nor \(actual) holds a tensor"
          : "nothing to compare: no tensor of \(expected) is in \(actual)"
            + remedy(pair.matching))
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    Terminal.print([text.summary(results.map(\.result), seconds: seconds)])
    let isUnreadable = results.contains { if case .unreadable = $0.result { true } else { false } }
    if isUnreadable { throw ExitCode(RunStatus.unusable.rawValue) }
    guard !results.allSatisfy(\.result.passes) else { return }
    if let modules = sides.modules,
      try areTheSame(modules, differInBiases: results.allSatisfy(mayBeShared))
    {
      return
    }
    throw ExitCode(RunStatus.failed.rawValue)
  }

  /// The options to type where the results stand under other names; empty where none is known.
  private func remedy(_ matching: NameMatching) -> String {
    let options = NameMap.proposal(expected: matching.missing, actual: matching.extra)
    return options.map { "; if these are the same results, say: \($0)" } ?? ""
  }

  /// Whether a parameter agrees, or is a bias that may be shared out otherwise. What the user has
  /// said of tolerances holds of each parameter by itself.
  private func mayBeShared(_ name: String, _ result: TensorResult) -> Bool {
    if result.passes { return true }
    guard tolerance != .exact, bound.bounds == nil, tensor.isEmpty, name.hasPrefix("bias_") else {
      return false
    }
    if case .compared(let tensor) = result { return ignoreType || !tensor.isOfAnotherType }
    return true
  }

  /// Whether two modules whose parameters differ are the same for all that, once it is printed what
  /// can be said of them.
  private func areTheSame(
    _ modules: ComparedSides.ModulePair, differInBiases: Bool
  ) throws -> Bool {
    let comparison = ModuleComparison(expected: modules.expected, actual: modules.actual)
    let text = ModuleComparisonText(
      expected: modules.expected.module, actual: modules.actual.module)
    do throws(CaseError) {
      if differInBiases, try comparison.hasEqualSums {
        Terminal.print(text.equalSums)
        return true
      }
      let judge = Judge(diagnostician: Diagnostician(.fast))
      Terminal.print(text.lines(try comparison.judged(by: judge)))
    } catch {
      try Terminal.fail("\(error)")
    }
    return false
  }

  /// - Throws: `ValidationError` for options that contradict each other, or say nothing.
  private func rules() throws -> ComparisonRules {
    if tolerance != nil, bound.bounds != nil {
      throw ValidationError("--tolerance and --rtol/--atol exclude each other.")
    }
    var rules = ComparisonRules()
    if let bounds = bound.bounds {
      rules.tolerance = .explicit(rtol: bounds.rtol, atol: bounds.atol)
    } else if tolerance == .exact {
      rules.tolerance = .exact
    }
    for text in tensor {
      let (name, limits) = try limits(text)
      guard rules.byName.updateValue(limits, forKey: name) == nil else {
        throw ValidationError("--tensor: expected \(name) once, found it twice.")
      }
    }
    rules.map = try map.names().actual
    rules.ignoresExtra = ignoreExtra
    rules.ignoresType = ignoreType
    rules.isDetailed = verbose
    return rules
  }

  /// Reads `NAME=RTOL,ATOL`.
  private func limits(_ text: String) throws -> (String, Limits) {
    if let (name, bounds) = NameMap.split(text) {
      let numbers = bounds.split(separator: ",", omittingEmptySubsequences: false)
        .map { Double($0) ?? .nan }
      if numbers.count == 2, numbers.allSatisfy({ $0 >= 0 && $0.isFinite }) {
        return (name, .bound(rtol: numbers[0], atol: numbers[1]))
      }
    }
    throw ValidationError("--tensor: expected NAME=RTOL,ATOL, found \(text).")
  }
}
