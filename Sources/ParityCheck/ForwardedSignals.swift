import Platform
import Synchronization

/// Hands the signals by which people end a process on to the child, which ends its engines and
/// then itself, so that this process can clean up behind it.
enum ForwardedSignals {
  /// 0 while there is no child.
  private static let child = Atomic<pid_t>(0)
  /// The last signal that came; 0 for none.
  private static let last = Atomic<CInt>(0)

  /// Lets no signal end this process from now on.
  static func start() {
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
      signal(number) { number in
        // Nothing here but calls that a signal's handler may make.
        ForwardedSignals.last.store(number, ordering: .sequentiallyConsistent)
        let process = ForwardedSignals.child.load(ordering: .sequentiallyConsistent)
        if process > 0 { _ = kill(process, number) }
      }
    }
  }

  /// Hands signals on to this child, also one that came before it was there.
  static func hand(to process: pid_t) {
    child.store(process, ordering: .sequentiallyConsistent)
    let number = last.load(ordering: .sequentiallyConsistent)
    if number != 0 { _ = kill(process, number) }
  }
}
