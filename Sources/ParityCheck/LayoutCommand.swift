import ArgumentParser
import ParityJudging
import ParityReports
import RecurrentModel
import TensorArchives
import TensorComparison
import TensorCore

/// `parity-check layout`.
struct LayoutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layout",
    _superCommandName: "parity-check",
    abstract: "Hold two bare tensors to the layout contract, without a manifest.",
    usage: """
      parity-check layout <output> <h_n> [--lengths <file>] [--batch-first] [--hidden-size <n>]
                          [--rtol <rtol> --atol <atol>]
      """,
    discussion: """
      OUTPUT and H_N are files of any supported kind. FILE:NAME names one tensor of a file \
      that holds several; without a name, output and h_n are looked for.

      For one layer and no packing the contract is output[:, -1, :H] == h_n[0] and, with two \
      directions, output[:, 0, H:] == h_n[1]. Exit status: 0 it holds; 1 it is violated; \
      2 a file can't be read, or no module gives tensors of these shapes.
      """)

  @Argument(help: "(B, T, D·H), (T, B, D·H) or (T, D·H).", completion: .file())
  var output: String

  @Argument(
    help: ArgumentHelp("(D·layers, B, H) or (D·layers, H).", valueName: "h_n"),
    completion: .file())
  var hN: String

  @Option(help: "A file with the length of each sequence, for a packed batch (int64 or int32).")
  var lengths: String?

  @Flag(help: "Read OUTPUT as (B, T, D·H); else told by the batch of H_N where it can be.")
  var batchFirst = false

  @Option(help: "The size of a state, proj_size if any; else H_N's last axis.")
  var hiddenSize: Int?

  @OptionGroup var bound: BoundOptions

  @OptionGroup var color: ColorOptions

  func run() throws {
    do {
      let output = try TensorReference(self.output).read(role: "output")
      let hN = try TensorReference(self.hN).read(role: "h_n")
      let lengths = try readLengths()
      let question = try ask(output, hN, lengths)
      Terminal.print(
        LayoutText(color.style).lines(question, output: output.shape, hN: hN.shape))
      if question.isVacuous { throw ExitCode(RunStatus.unusable.rawValue) }
      if !question.holds { throw ExitCode(RunStatus.failed.rawValue) }
    } catch let error where error is ArchiveError || error is InvalidValue {
      try Terminal.fail("\(error)")
    }
  }

  /// What there is to ask about the two tensors.
  ///
  /// - Throws: `InvalidValue` where no module gives tensors of these shapes; it says so
  ///   where some would give them in the other order.
  private func ask(_ output: Tensor, _ hN: Tensor, _ lengths: [Int]?) throws -> LayoutQuestion {
    func question(_ output: Tensor, _ hN: Tensor) throws(InvalidValue) -> LayoutQuestion {
      let limits = bound.bounds.map { Limits.bound(rtol: $0.rtol, atol: $0.atol) }
      return try LayoutQuestion(
        output: output, hN: hN, lengths: lengths, batchFirst: batchFirst ? true : nil,
        hiddenSize: hiddenSize, limits: limits ?? .bits)
    }
    do {
      return try question(output, hN)
    } catch {
      let isExchanged = (try? question(hN, output)) != nil
      let question = isExchanged ? "are output and h_n exchanged?" : nil
      throw error.within("\(self.output) and \(self.hN)")
        .advising(error.remedy.flatMap { own in question.map { "\(own); or \($0)" } } ?? question)
    }
  }

  /// The lengths of the sequences; nil where they are not given.
  private func readLengths() throws -> [Int]? {
    guard let lengths else { return nil }
    let tensor = try TensorReference(lengths).read(role: "lengths")
    guard let integers = tensor.integers, tensor.shape.rank == 1 else {
      throw InvalidValue(
        lengths, expected: "one axis of int64 or int32",
        found: "\(tensor.elementType) \(tensor.shape)")
    }
    return integers.map { Int(clamping: $0) }
  }
}
