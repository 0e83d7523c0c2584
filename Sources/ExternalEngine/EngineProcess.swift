import Subprocess

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// One run of a user's program, in a process group of its own.
struct EngineProcess {
  /// The program and its arguments. A program without a `/` is looked for in `PATH`.
  let words: [String]
  /// After which the program is ended.
  let timeLimit: Duration

  /// How a run ended.
  enum End: Equatable {
    /// The program has ended with an exit status.
    case exited(Int)
    /// A signal that this process has not sent has ended the program.
    case signal(Int)
    /// The program was still running after `timeLimit`, and was ended.
    case outOfTime
    /// The program was not started, for a reason in the system's words.
    case notStarted(String)
  }

  /// Runs the program, and ends all that it leaves running in its process group.
  ///
  /// - Returns: how it ended, and what it printed.
  func run() async -> (end: End, printed: Printed) {
    var options = PlatformOptions()
    options.processGroupID = 0
    do {
      let result = try await Subprocess.run(
        words[0].contains("/") ? .path(FilePath(words[0])) : .name(words[0]),
        arguments: Arguments(Array(words.dropFirst())), platformOptions: options,
        input: .none, output: .sequence, error: .sequence
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
      RunningEngines.shared.end(run.process)
      run.timer.cancel()
      let isOutOfTime = await run.timer.value
      let end: End =
        switch result.terminationStatus {
        case _ where isOutOfTime: .outOfTime
        case .exited(let status): .exited(Int(status))
        case .signaled(let signal): .signal(Int(signal))
        }
      return (end, run.printed)
    } catch {
      return (.notStarted(reason(of: error)), Printed())
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

  /// Why a program was not started.
  private func reason(of error: any Error) -> String {
    guard let error = error as? SubprocessError else { return "\(error)" }
    if error.code == .executableNotFound { return "no such program, or not one to run" }
    return error.underlyingError.map { "\($0)" } ?? "\(error)"
  }
}
