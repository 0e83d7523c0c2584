import Platform
import Synchronization

/// The programs that are running, so that none outlives the process that has started it.
package final class RunningEngines: Sendable {
  package static let shared = RunningEngines()

  /// Each of them leads a process group of its own.
  private let processes = Mutex<Set<pid_t>>([])

  /// Notes a program that was started.
  func insert(_ process: pid_t) { processes.withLock { _ = $0.insert(process) } }

  /// Ends a program with all that is running in its process group, where it has not ended yet.
  func end(_ process: pid_t) {
    processes.withLock { if $0.contains(process) { kill(-process, SIGKILL) } }
  }

  /// Ends what a program that has ended has left running in its process group, and forgets it.
  func remove(_ process: pid_t) {
    processes.withLock { _ = $0.remove(process) }
    kill(-process, SIGKILL)
  }

  /// Ends all programs, with all that is running in their process groups.
  package func end() {
    processes.withLock {
      for process in $0 { kill(-process, SIGKILL) }
    }
  }
}
