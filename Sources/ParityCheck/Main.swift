import ArgumentParser
import RecurrentEngine
import TensorArchives

/// Where the program starts.
///
/// The first argument alone decides whether a subcommand runs. ArgumentParser, left to
/// itself, would take the word for one of the root command's paths, or, with a default
/// subcommand in the root's place, hide the options of a plain run from the help.
///
/// So a subcommand is parsed as if it were a root. The program's name comes into its usage
/// by `_superCommandName`, which ArgumentParser's documentation leaves out: it was checked
/// against version 1.8.2, and the tests of every subcommand's help check it against others.
@main
enum Main {
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    #if HDF5
      if arguments.first == HDF5Server.argument { HDF5Server.run() }
    #endif
    if arguments.first != BenchCommand.configuration.commandName { Supervisor.run() }
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

  /// Ends the process where the environment asks for instructions that the machine has not.
  private static func requireInstructionSet() {
    guard InstructionSet.chosen == nil else { return }
    let names = InstructionSet.supported.map(\.name).joined(separator: ", ")
    Terminal.printError("\(InstructionSet.variable): expected one of \(names)")
    ParityCheckCommand.exit(withError: ExitCode(64))
  }

  /// Parses the arguments, runs the command, and ends the process where it throws.
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
      // ArgumentParser gives the status 1 to all errors that are not its own. What a user
      // can cause has a status of its own, so that this is a mistake of the program's.
      guard error is ExitCode || type.exitCode(for: error) != .failure else {
        Terminal.printError("parity-check: internal error: \(error)")
        type.exit(withError: ExitCode(70))
      }
      type.exit(withError: error)
    }
  }
}
