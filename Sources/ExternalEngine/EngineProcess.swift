import Subprocess

/// Runs a user's program in a process for each case.
struct EngineProcess: EngineRunner {
  let command: EngineCommand
  /// After which the program is ended.
  let timeLimit: Duration

  /// The exit status with which a program declines a case that it cannot compute: the one with
  /// which tests are skipped under Automake and Meson.
  static let skipStatus = 77

  let success = "ended well"

  func run(case path: String, output: String) async -> EngineRun {
    let program = EngineProgram(words: command.words(case: path, output: output))
    let (end, printed) = await run(program)
    let outcome: EngineRun.Outcome =
      switch end {
      case .exited(0): .computed
      case .exited(Self.skipStatus): .declined(printed.lastLine)
      default: .failed(end.reason(program.name))
      }
    return EngineRun(outcome: outcome, printed: printed)
  }

  /// Nothing runs on between two cases.
  func finish() async {}

  /// Runs the program, and ends all that it leaves running in its process group.
  ///
  /// - Returns: how it ended, and what it printed.
  private func run(_ program: EngineProgram) async -> (end: EngineEnd, printed: Printed) {
    do {
      let result = try await Subprocess.run(
        program.configuration, input: .none, output: .sequence, error: .sequence
      ) { [timeLimit] execution in
        let process = execution.processIdentifier.value
        RunningEngines.shared.insert(process)
        // It runs on when the program has closed its output and not ended.
        let timer = Task {
          guard (try? await Task.sleep(for: timeLimit)) != nil else { return false }
          RunningEngines.shared.end(process)
          return true
        }
        // Both at the same time: a program whose output nobody takes waits for ever.
        async let errors = Self.lines(of: execution.standardError)
        let output = await Self.lines(of: execution.standardOutput)
        let printed = Printed(output: output, errors: await errors)
        return (process: process, timer: timer, printed: printed)
      }
      let run = result.closureResult
      // The program may have left others running, which nobody waits for.
      RunningEngines.shared.remove(run.process)
      run.timer.cancel()
      let isOutOfTime = await run.timer.value
      return (
        isOutOfTime ? .outOfTime(limit: timeLimit) : EngineEnd(result.terminationStatus),
        run.printed
      )
    } catch {
      return (.notStarted(EngineProgram.reason(of: error)), Printed())
    }
  }

  /// All that comes out of a stream until it is closed.
  private static func lines(of stream: SubprocessOutputSequence) async -> PrintedLines {
    var lines = PrintedLines()
    do {
      for try await part in stream { part.withUnsafeBytes { lines.append($0) } }
    } catch {
      Array("\(error)".utf8).withUnsafeBytes { lines.append($0) }
    }
    return lines
  }
}
