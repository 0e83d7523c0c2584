import Synchronization

/// Runs of a user's program that each answer case after case. As many run as cases are asked for at
/// the same time. One that fails at a case in any other way than by saying so is ended, and
/// another is started for the next case.
final class EngineServers: EngineRunner {
  let success = "answered \"done\""
  private let program: EngineProgram
  private let timeLimit: Duration
  /// Those that wait to be asked.
  private let idle = Mutex<[EngineServer]>([])

  /// - Parameter timeLimit: how long an answer may take, at most.
  init(program: EngineProgram, _ timeLimit: Duration) {
    self.program = program
    self.timeLimit = timeLimit
  }

  func run(case path: String, output: String) async -> EngineRun {
    let server: EngineServer
    do throws(EngineServer.NotStarted) {
      server = try await next()
    } catch {
      return EngineRun(outcome: .failed(error.reason))
    }
    let question = ServerAnswer.question(case: path, output: output)
    let (run, goesOn) = await server.ask(question, limit: timeLimit)
    if goesOn { idle.withLock { $0.append(server) } }
    return run
  }

  private func next() async throws(EngineServer.NotStarted) -> EngineServer {
    if let server = idle.withLock({ $0.popLast() }) { return server }
    return try await EngineServer.start(program)
  }

  func finish() async {
    let servers = idle.withLock { idle in
      defer { idle = [] }
      return idle
    }
    await withTaskGroup { group in
      for server in servers { group.addTask { await server.finish() } }
    }
  }
}
