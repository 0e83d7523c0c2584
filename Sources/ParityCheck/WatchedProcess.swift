import Dispatch
import ExternalEngine
import Platform
import Synchronization
import SystemPackage
import TensorArchives

/// This process, where another one watches it (see `Supervisor`). It reports to that one which
/// cases it judges, and has printed.
final class WatchedProcess: Sendable {
  /// This process; nil where no other watches over it.
  ///
  /// When this is asked for first, the invitation is taken out of the environment. That
  /// must be before this process starts another one, which would take it for its own.
  static let current: WatchedProcess? = {
    let text = ProcessInfo.processInfo.environment[WatchInvitation.variable]
    guard let invitation = text.flatMap({ WatchInvitation($0) }) else { return nil }
    if let process = WatchedProcess(invitation) { return process }
    // Whoever has invited this process has ended meanwhile: there is nobody to work for.
    if invitation.hasDescriptors, invitation.parent != getppid() { _exit(128 + SIGTERM) }
    return nil
  }()

  /// What the watching process wants.
  let orders: WatchOrders
  /// The pipe to it.
  private let events: Mutex<FileDescriptor>

  /// Accepts an invitation. Nil where it is not from this process's parent, or its
  /// descriptors are not what it says.
  init?(_ invitation: WatchInvitation) {
    let events = FileDescriptor(rawValue: invitation.events)
    let socket = FileDescriptor(rawValue: invitation.orders)
    guard invitation.parent == getppid(), invitation.hasDescriptors,
      let orders = WatchOrders(readFrom: socket),
      (try? events.closeOnExecution()) != nil
    else { return nil }
    try? socket.close()
    for variable in orders.unset { unsetenv(variable) }
    self.orders = orders
    self.events = Mutex(events)
  }

  /// Sends an event to the watching process. May be called on any thread.
  func send(_ event: WatchEvent) {
    // Nobody listens any more where this fails, and `endWithParent` knows.
    events.withLock { _ = try? $0.writeAll(event.bytes) }
  }

  /// From now on, ends this process as soon as the watching one has ended: it would judge
  /// on and print for nobody. Called once.
  func endWithParent() {
    let events = events.withLock(\.self)
    // A queue of its own, so that no thread of the pool that judges waits here.
    DispatchQueue(label: "parity-check.watch").async {
      events.waitForClosing()
      RunningEngines.shared.end()
      _exit(128 + SIGTERM)
    }
  }
}
