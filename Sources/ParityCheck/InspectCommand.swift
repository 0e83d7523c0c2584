import ArgumentParser
import ParityFixtures
import ParityJudging
import ParityReports
import TensorArchives

/// `parity-check inspect`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    _superCommandName: "parity-check",
    abstract: "Show the tensors of a checkpoint, and the recurrent modules in it.",
    usage: "parity-check inspect <file> ... [--json]",
    discussion: """
      FILE is a file of any supported kind, or a folder of them. Its tensors are printed as a \
      tree, with type, shape, range and the count of numbers that are not finite; then the \
      recurrent modules whose parameters they are, how their results are laid out, and the line \
      to type next.

      Exit status: 0 all files were read; 2 one can't be read.
      """)

  @Argument(help: "A checkpoint, an archive, or a folder.", completion: .file())
  var file: [String]

  @Flag(help: "Print the same as JSON.")
  var json = false

  @OptionGroup var color: ColorOptions

  func run() throws {
    var isUnusable = false
    var read: [Inspection] = []
    for path in file {
      do throws(ArchiveError) {
        let inspection = try Inspection(path)
        read.append(inspection)
        if !json { Terminal.print(InspectText(color.style).lines(inspection)) }
        isUnusable = isUnusable || inspection.tensors.contains { $0.header == nil }
      } catch {
        Terminal.printError("\(error)")
        isUnusable = true
      }
    }
    if json { Terminal.print([InspectJSON.text(read)]) }
    if isUnusable { throw ExitCode(RunStatus.unusable.rawValue) }
  }
}
