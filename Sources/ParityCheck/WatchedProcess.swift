import Dispatch
import ExternalEngine
import Synchronization
import SystemPackage
import TensorArchives

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// This process, where another watches over it (see `Supervisor`): it says what
/// libhdf5 works on, and leaves alone the files that libhdf5 was lost on before.
final class WatchedProcess: HDF5Guardian {
  /// This process; nil where nobody watches over it.
  ///
  /// To be asked for before another process is started, since that is when the
  /// variables by which the watching process spoke are taken out of the environment:
  /// whatever this one runs must not take them for its own.
  static let current: WatchedProcess? = {
    let invitation = ProcessInfo.processInfo.environment[Invitation.variable]
    return invitation.flatMap { Invitation($0) }.flatMap { WatchedProcess($0) }
  }()

  let orders: WatchOrders
  private let events: Mutex<FileDescriptor>

  /// Nil where it is not this process's parent that invites.
  init?(_ invitation: Invitation) {
    let events = FileDescriptor(rawValue: invitation.events)
    let file = FileDescriptor(rawValue: invitation.orders)
    guard invitation.parent == getppid(), (try? Stat(events))?.type == .fifo,
      let orders = try? WatchOrders(from: file), (try? events.closeOnExecution()) != nil
    else { return nil }
    try? file.close()
    for variable in orders.unset { unsetenv(variable) }
    self.orders = orders
    self.events = Mutex(events)
  }

  func tell(_ event: WatchEvent) {
    // Nobody listens any more where this fails, and `endWithParent` knows.
    events.withLock { _ = try? $0.writeAll(event.bytes) }
  }

  func willWork(on path: String) throws(ArchiveError) {
    if let reason = orders.lost[path] { throw ArchiveError(path: path, .unreadable(reason)) }
    tell(.entered(path))
  }

  func hasReturned() { tell(.left) }

  /// Ends this process with its parent, which the pipe tells: a child whose parent was
  /// killed has nobody to print for.
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

/// What the environment of a watched process says, so that it knows itself for one.
struct Invitation {
  static let variable = "PARITY_CHECK_WATCH"

  /// The process that watches. What anybody else put into the environment, or left
  /// there, is not for this process.
  let parent: pid_t
  /// The numbers of the descriptors of the pipe for events, and of the file with orders.
  let events: CInt
  let orders: CInt

  init(parent: pid_t, events: CInt, orders: CInt) {
    (self.parent, self.events, self.orders) = (parent, events, orders)
  }

  /// Nil where `text` is anything but three numbers.
  init?(_ text: String) {
    let numbers = text.split(separator: ":").map { CInt($0) }
    guard numbers.count == 3, let parent = numbers[0], let events = numbers[1],
      let orders = numbers[2]
    else { return nil }
    self.init(parent: parent, events: events, orders: orders)
  }

  var text: String { "\(parent):\(events):\(orders)" }
}
