import ArgumentParser
import Foundation
import ParityFixtures
import ParityJudging
import ParityReports
import TensorArchives

/// `parity-check export`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    _superCommandName: "parity-check",
    abstract: "Write cases as an engine is given them: parameters, inputs and a manifest.",
    usage: "parity-check export <path> <folder> [--as <format>] [--filter <filter>]",
    discussion: """
      Each case becomes a file or folder of its own name in FOLDER, without its outputs, and with \
      a manifest that leaves no argument to the shapes. What an engine writes beside them is \
      judged by parity-check PATH --actual FOLDER2.

      Exit status: 0 all were written; 2 a case can't be read or written, or there is none.
      """)

  /// The formats that cases are written in.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case folder
    case npz
    case h5
    case safetensors
  }

  @Argument(help: "Fixtures, or a folder to search for them.", completion: .file())
  var path: String

  @Argument(help: "Where to write them; it is made where it does not exist.")
  var folder: String

  @Option(name: .customLong("as"), help: "folder (of .npy files), npz, h5 or safetensors.")
  var format = Format.folder

  @Option(help: "Write only the cases whose name matches this regular expression.")
  var filter: String?

  @Option(
    help: "A folder that symbolic links and manifests may lead into, beside PATH itself.",
    completion: .directory)
  var allowRoot: [String] = []

  func validate() throws { _ = try NameFilter(filter, option: "--filter") }

  func run() throws {
    let found = try FoundCases(in: [path], allowing: allowRoot, matching: filter)
    found.printErrors()
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      try Terminal.fail("\(Style.printable(folder)): expected a folder to write to, found none")
    }
    var names: Set<String> = []
    var written = 0
    var hasFailed = !found.errors.isEmpty
    for location in found.cases {
      // Of two cases of one name the name is the path.
      let name = TensorContainer.stem(of: location.path)
      let path = "\(folder)/\(name)" + (format == .folder ? "" : ".\(format.rawValue)")
      do {
        let request = try ParityCase.load(location).outputsRequest
        guard request.canBeComputed else {
          Terminal.print(["\(Style.printable(location.name)): no parameters, passed over"])
          continue
        }
        guard names.insert(path).inserted else {
          Terminal.printError(
            "\(Style.printable(path)): expected cases of different names, found another of this "
              + "name in \(Style.printable(location.path)): export them to folders of their own")
          hasFailed = true
          continue
        }
        try EngineInput(request).write(to: path)
        written += 1
      } catch let error where error is CaseError || error is ArchiveError {
        Terminal.printError("\(error)")
        hasFailed = true
      }
    }
    Terminal.print([
      "wrote \(NumberText.count(written, "case")) to \(Style.printable(folder))"
    ])
    if hasFailed || written == 0 { throw ExitCode(RunStatus.unusable.rawValue) }
  }
}
