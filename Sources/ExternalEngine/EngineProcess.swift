import Subprocess
import Synchronization

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
    /// With an exit status.
    case exited(Int)
    /// By a signal that was not sent by this process.
    case signal(Int)
    case outOfTime
    /// The system's words for why there was no run.
    case notStarted(String)
  }

  /// Runs the program, and ends all that it leaves running in its process group.
  ///
  /// - Returns: how it ended, and the last of what it printed to its standard output and
  ///   its standard error.
  func run() async -> (end: End, printed: String) {
    var options = PlatformOptions()
    options.processGroupID = 0
    let deadline = Deadline()
    let timer = Task { [timeLimit] in
      guard (try? await Task.sleep(for: timeLimit)) != nil else { return false }
      deadline.pass()
      return true
    }
    defer { timer.cancel() }
    do {
      let result = try await Subprocess.run(
        words[0].contains("/") ? .path(FilePath(words[0])) : .name(words[0]),
        arguments: Arguments(Array(words.dropFirst())), platformOptions: options,
        input: .none, output: .sequence, error: .combinedWithOutput
      ) { execution in
        let process = execution.processIdentifier.value
        RunningEngines.shared.insert(process)
        // The whole group, with all that the program has started.
        deadline.reach { try? execution.send(signal: .kill, toProcessGroup: true) }
        var tail = PrintedTail()
        do {
          for try await part in execution.standardOutput {
            part.withUnsafeBytes { tail.append($0) }
          }
        } catch {
          Array("\(error)".utf8).withUnsafeBytes { tail.append($0) }
        }
        return (process, tail.text)
      }
      // The program may have left others running, which nobody waits for.
      RunningEngines.shared.end(result.closureResult.0)
      timer.cancel()
      let isOutOfTime = await timer.value
      let end: End =
        switch result.terminationStatus {
        case _ where isOutOfTime: .outOfTime
        case .exited(let status): .exited(Int(status))
        case .signaled(let signal): .signal(Int(signal))
        }
      return (end, result.closureResult.1)
    } catch {
      return (.notStarted(reason(of: error)), "")
    }
  }

  /// Why a program was not started.
  private func reason(of error: any Error) -> String {
    guard let error = error as? SubprocessError else { return "\(error)" }
    if error.code == .executableNotFound { return "no such program, or not one to run" }
    return error.underlyingError.map { "\($0)" } ?? "\(error)"
  }
}

/// Ends a process when its time is over. The time runs before there is a process to end.
private final class Deadline: Sendable {
  private let state = Mutex<(hasPassed: Bool, end: (@Sendable () -> Void)?)>((false, nil))

  /// Sets what ends the process.
  ///
  /// - Parameter end: is called when the time is over, or at once where it is over already.
  func reach(_ end: @escaping @Sendable () -> Void) {
    let hasPassed = state.withLock {
      $0.end = end
      return $0.hasPassed
    }
    if hasPassed { end() }
  }

  /// Says that the time is over.
  func pass() {
    let end = state.withLock {
      $0.hasPassed = true
      return $0.end
    }
    end?()
  }
}
