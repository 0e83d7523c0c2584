import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The programs that run now, so that none outlives the process that started them.
package final class RunningEngines: Sendable {
  package static let shared = RunningEngines()

  private let processes = Mutex<Set<pid_t>>([])

  func insert(_ process: pid_t) { processes.withLock { _ = $0.insert(process) } }

  /// Ends all that one has started.
  func end(_ process: pid_t) {
    processes.withLock { _ = $0.remove(process) }
    kill(-process, SIGKILL)
  }

  /// Ends each with all that it started.
  package func end() {
    processes.withLock {
      for process in $0 { kill(-process, SIGKILL) }
    }
  }
}
