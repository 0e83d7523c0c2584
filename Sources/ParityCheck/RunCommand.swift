import ArgumentParser
import ParityDiagnosis
import ParityFixtures
import ParityJudging
import ParityReports
import RecurrentModel
import TensorArchives
import TensorCore

/// `parity-check run`.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    _superCommandName: "parity-check",
    abstract: "Compute what PyTorch's module gives with a checkpoint's weights, without PyTorch.",
    usage: """
      parity-check run <checkpoint> --input <file> [--h0 <file> --c0 <file>] [--lengths <file>]
                       [--batch-first] [--out <file>] [--actual <file>]
      """,
    discussion: """
      CHECKPOINT is a file of any supported kind that holds the parameters of a recurrent module; \
      CHECKPOINT:NAME names one of several (parity-check inspect lists them). The module is \
      computed in float64, rounded once to the type of the input, and by our engine in that \
      type. --out keeps output, h_n and c_n; --actual judges results of your own by them, with \
      the rounding-noise rule and the diagnosis.

      Exit status: 0 computed, and ACTUAL, if given, agrees; 1 ACTUAL differs; 2 a file can't be \
      read or does not fit.
      """)

  @Argument(help: "A checkpoint, or CHECKPOINT:NAME.", completion: .file())
  var checkpoint: String

  @Option(
    help: "The input: (T, B, I), (T, I), with --batch-first (B, T, I); of a cell (B, I).",
    completion: .file())
  var input: String

  @OptionGroup var raw: RawShapeOptions

  @Option(name: .customLong("h0"), help: "The initial hidden state.", completion: .file())
  var h0: String?

  @Option(name: .customLong("c0"), help: "The initial cell state.", completion: .file())
  var c0: String?

  @Option(help: "The length of each sequence of a packed batch.", completion: .file())
  var lengths: String?

  @Flag(help: "The module has batch_first=True, which no checkpoint tells.")
  var batchFirst = false

  @Flag(help: "An RNN has nonlinearity='relu', which no checkpoint tells.")
  var relu = false

  @Option(help: "Write output, h_n and c_n to this file or folder.", completion: .file())
  var out: String?

  @Option(
    help: "Judge results of your own: a file or folder that holds output, h_n and c_n.",
    completion: .file())
  var actual: String?

  @Option(help: "The results of --actual that are judged, such as output; all by default.")
  var only: String?

  @Option(help: "How long to look for the mistake in ACTUAL: off, fast or full.")
  var diagnose = Diagnostician.Effort.fast

  @Flag(name: [.short, .long], help: "Print all that was measured.")
  var verbose = false

  @OptionGroup var color: ColorOptions

  func run() throws {
    let result: CaseResult
    do {
      var parityCase = try loaded()
      if let out {
        let results = parityCase.reference.named.map { ($0.name, $0.tensor) }
        try TensorContainer.write(
          Dictionary(uniqueKeysWithValues: results), to: out)
      }
      if let only {
        parityCase = try parityCase.only(only.split(separator: ",").map(String.init))
      }
      result = try judged(parityCase)
    } catch let error where error is ArchiveError || error is CaseError || error is InvalidValue {
      try Terminal.fail("\(error)")
    }
    var text = TextReport(
      style: color.style, detail: verbose ? .verbose : .normal, names: [result.location.name])
    Terminal.print(text.lines(result))
    if let out { Terminal.print(["wrote \(Style.printable(out))"]) }
    let status = RunStatus(of: [result.status])
    if status != .passed { throw ExitCode(status.rawValue) }
  }

  /// The case that the checkpoint makes with the input.
  private func loaded() throws -> ParityCase {
    let (path, prefix) = TensorReference.split(checkpoint)
    let module = try Checkpoint(path, prefix: prefix)
    var given = CheckpointInput(
      input: try TensorReference(input, shape: raw.shape).read(role: "input"))
    given.h0 = try h0.map { try TensorReference($0).read(role: "h_0") }
    given.c0 = try c0.map { try TensorReference($0).read(role: "c_0") }
    given.lengths = try lengths.map { try TensorReference($0).read(role: "lengths") }
    given.batchFirst = batchFirst
    given.nonlinearity = relu ? .relu : .tanh
    let name = module.module.prefix.isEmpty ? TensorContainer.stem(of: path) : module.module.name
    return try ParityCase(CaseLocation(name: name, path: path), module, given)
  }

  private func judged(_ parityCase: ParityCase) throws -> CaseResult {
    let judge = Judge(diagnostician: Diagnostician(diagnose))
    guard let actual else { return judge.judge(parityCase) }
    let request = parityCase.outputsRequest
    let tensors = try OutputsFolder.read(at: actual, for: request)
    return judge.judge(parityCase, SuppliedOutputs(tensors, for: request))
  }
}
