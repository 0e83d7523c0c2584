import Platform
import Synchronization

/// Hands the signals by which people end a process on to the child, which ends its engines and
/// then itself, so that this process can clean up behind it.
enum ForwardedSignals {
  private static let child = Atomic<pid_t>(0)

  /// Hands signals on to this child from now on.
  static func start(to process: pid_t) {
    child.store(process, ordering: .sequentiallyConsistent)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
      signal(number) { number in
        // Nothing here but calls that a signal's handler may make.
        _ = kill(ForwardedSignals.child.load(ordering: .sequentiallyConsistent), number)
      }
    }
  }
}
