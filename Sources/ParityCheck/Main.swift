import ArgumentParser
import RecurrentEngine

/// The entry point. A subcommand is told by the first argument alone:
/// ArgumentParser would give the word to the root command as a path, or, with a
/// default subcommand in the root's place, hide the options of a plain run from
/// the help.
///
/// A subcommand is therefore parsed as a root, and has the program's name in its usage
/// by `_superCommandName`, which ArgumentParser's documentation leaves out. Checked
/// against version 1.8.2, and by the tests of each help against any other.
@main
enum Main {
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    #if HDF5
      if arguments.first != BenchCommand.configuration.commandName { Supervisor.run() }
    #endif
    requireInstructionSet()
    let subcommands = ParityCheckCommand.configuration.subcommands
    func subcommand(_ name: String?) -> (any ParsableCommand.Type)? {
      subcommands.first { $0.configuration.commandName == name }
    }
    if arguments.first == "help" {
      await run(subcommand(arguments.dropFirst().first) ?? ParityCheckCommand.self, ["--help"])
    } else if let command = subcommand(arguments.first) {
      await run(command, Array(arguments.dropFirst()))
    } else {
      await run(ParityCheckCommand.self, arguments)
    }
  }

  private static func requireInstructionSet() {
    guard InstructionSet.chosen == nil else { return }
    let names = InstructionSet.supported.map(\.name).joined(separator: ", ")
    Terminal.printError("\(InstructionSet.variable): expected one of \(names)")
    ParityCheckCommand.exit(withError: ExitCode(64))
  }

  private static func run(_ type: any ParsableCommand.Type, _ arguments: [String]) async {
    var command: any ParsableCommand
    do {
      command = try type.parseAsRoot(arguments)
    } catch {
      type.exit(withError: error)
    }
    do {
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      // ArgumentParser knows its own errors, and gives any other status 1; all
      // that users can cause has a status of its own.
      guard error is ExitCode || type.exitCode(for: error) != .failure else {
        Terminal.printError("parity-check: internal error: \(error)")
        type.exit(withError: ExitCode(70))
      }
      type.exit(withError: error)
    }
  }
}
