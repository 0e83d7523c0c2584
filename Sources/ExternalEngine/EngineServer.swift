import Dispatch
import JSON
import Platform
import Subprocess
import SystemPackage
import TensorArchives

/// A user's program that runs, and answers case after case. It is asked for one case at a time.
final class EngineServer: Sendable {
  private let process: pid_t
  /// How the program has ended, once it has.
  private let end: Task<EngineEnd, Never>
  /// A socket, which the program has as its standard input.
  private let input: FileDescriptor
  /// Only used by whoever asks for a case, and on `queue`.
  private nonisolated(unsafe) var streams: ServerStreams
  /// A thread of its own, so that none of the pool that judges waits for an answer.
  private let queue = DispatchQueue(label: "parity-check.engine-server")

  private init(
    _ process: pid_t, _ end: Task<EngineEnd, Never>, _ input: FileDescriptor,
    _ streams: ServerStreams
  ) {
    (self.process, self.end, self.input, self.streams) = (process, end, input, streams)
  }

  /// The program was not started.
  struct NotStarted: Error { let reason: String }

  /// Starts the program.
  ///
  /// - Throws: `NotStarted` where the system refuses.
  static func start(_ program: EngineProgram) async throws(NotStarted) -> EngineServer {
    var opened: [FileDescriptor] = []
    do {
      let (input, itsInput) = try FileDescriptor.socketPair()
      opened += [input, itsInput]
      let (output, itsOutput) = try FileDescriptor.unsharedPipe()
      opened += [output, itsOutput]
      let (errors, itsErrors) = try FileDescriptor.unsharedPipe()
      let (starts, started) = AsyncStream<pid_t>.makeStream()
      let end = Task {
        defer { started.finish() }
        do {
          let result = try await Subprocess.run(
            program.configuration,
            input: .fileDescriptor(
              EngineProgram.descriptor(itsInput.rawValue), closeAfterSpawningProcess: true),
            output: .fileDescriptor(
              EngineProgram.descriptor(itsOutput.rawValue), closeAfterSpawningProcess: true),
            error: .fileDescriptor(
              EngineProgram.descriptor(itsErrors.rawValue), closeAfterSpawningProcess: true)
          ) { execution in
            let process = execution.processIdentifier.value
            RunningEngines.shared.insert(process)
            started.yield(process)
            return process
          }
          // The program may have left others running, which nobody waits for.
          RunningEngines.shared.remove(result.closureResult)
          return EngineEnd(result.terminationStatus)
        } catch {
          return .notStarted(EngineProgram.reason(of: error))
        }
      }
      let streams = ServerStreams(output: output, errors: errors)
      // In a task of its own, which goes on where this one is cancelled.
      if let process = await Task(operation: { await starts.first { _ in true } }).value {
        return EngineServer(process, end, input, streams)
      }
      try? input.close()
      streams.close()
      throw NotStarted(reason: await end.value.reason(program.name))
    } catch let error as NotStarted {
      throw error
    } catch {
      for descriptor in opened { try? descriptor.close() }
      throw NotStarted(reason: "can't run \(program.name): \(systemWords(for: error))")
    }
  }

  /// Asks for one case.
  ///
  /// - Parameters:
  ///   - question: the line that asks for it.
  ///   - limit: after which the program is ended.
  /// - Returns: what came of it, and whether the program can be asked for another case. Where it
  ///   can't, it has been ended.
  func ask(_ question: [UInt8], limit: Duration) async -> (run: EngineRun, goesOn: Bool) {
    let next = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        queue.async { continuation.resume(returning: self.next(question, limit)) }
      }
    } onCancel: {
      RunningEngines.shared.end(process)
    }
    if case .line(let line) = next, let answer = ServerAnswer(line: line),
      streams.startOfLine == nil
    {
      return (EngineRun(outcome: answer.outcome, printed: streams.printed), true)
    }
    let reason = await self.reason(next, limit)
    streams.readWhatIsThere()
    defer { close() }
    return (EngineRun(outcome: .failed(reason), printed: streams.printed), false)
  }

  /// Sends a question and waits for the next line.
  private func next(_ question: [UInt8], _ limit: Duration) -> ServerStreams.Next {
    let deadline = ContinuousClock.now + limit
    streams.forgetPrinted()
    streams.readWhatIsThere()
    // What nobody has asked for is taken for no answer, whatever it says.
    if let unasked = streams.startOfLine {
      return .line(String(unasked.prefix { $0 != "\n" }))
    }
    // Where nobody reads it, the standard output will be closed too.
    _ = input.sendWithoutSignal(question)
    let next = streams.next(by: deadline)
    streams.readWhatIsThere()
    return next
  }

  /// Why there is no answer. Ends the program, where it has not ended.
  private func reason(_ next: ServerStreams.Next, _ limit: Duration) async -> String {
    let start = streams.startOfLine.map {
      ", and had printed \(JSONValue.string($0).summary) without the end of a line"
    }
    switch next {
    case .line(let line):
      _ = await end(within: .zero)
      if ServerAnswer(line: line) != nil {
        return "the engine printed more than the one line that is its answer"
      }
      return "the engine printed a line that is no answer: \(JSONValue.string(line).summary) "
        + "(its standard output is for answers alone)"
    case .late:
      _ = await end(within: .zero)
      return EngineEnd.outOfTime(limit: limit).reason("")
        + (start ?? " (is each answer flushed?)")
    case .closed:
      guard let end = await end(within: Self.grace) else {
        return "the engine closed its standard output" + (start ?? " and gave no answer")
      }
      return end.reason("") + (start ?? (end == .exited(0) ? " and gave no answer" : ""))
    }
  }

  /// Ends the program by the end of its input, or, where it runs on, by a signal.
  func finish() async {
    shutdown(input.rawValue, CInt(SHUT_WR))
    _ = await end(within: Self.grace)
    close()
  }

  /// How long a program may take to end when it has nothing more to do.
  private static let grace = Duration.seconds(3)

  /// Waits for the end of the program, and ends it where it does not come.
  ///
  /// - Returns: how it has ended by itself; nil where it was ended.
  private func end(within limit: Duration) async -> EngineEnd? {
    let timer = Task {
      if limit > .zero, (try? await Task.sleep(for: limit)) == nil { return false }
      RunningEngines.shared.end(process)
      return true
    }
    let end = await self.end.value
    timer.cancel()
    return await timer.value ? nil : end
  }

  private func close() {
    try? input.close()
    streams.close()
  }
}
