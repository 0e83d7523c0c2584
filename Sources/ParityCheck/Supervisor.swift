import ArgumentParser
import Platform
import TensorArchives

/// Runs this program as its own child, and watches over it, so that a file on which
/// libhdf5 crashes or never returns costs that file alone and not the whole run.
///
/// 1. This process starts the program again (`ChildProcess`), with an invitation in the
///    environment (`WatchInvitation`) and orders in a file (`WatchOrders`).
/// 2. The child takes both out of its environment (`WatchedProcess`), works, and reports
///    through a pipe on which file libhdf5 works and which cases it has printed (`WatchEvent`).
/// 3. When the child ends, this process ends with its status, unless libhdf5 was the
///    reason. Then another child is started, with orders to leave the file alone and to
///    print on from where the first one stopped.
///
/// Of 4,500 small files with a few damaged bytes, libhdf5 1.10.8 crashed on five and never
/// returned from three.
///
/// With `PARITY_CHECK_WATCH=off` in the environment, for a debugger, there is no child.
enum Supervisor {
  /// The environment variable by which Swift's runtime prints a stack trace of a crash, or does
  /// not. A child's crash has none: it is reported in one line.
  static let backtraces = "SWIFT_BACKTRACE"

  /// Starts a child, and ends this process with the status of the child. Returns where this
  /// process is itself the child, where there is to be none, and where none can be started.
  static func run() {
    let environment = ProcessInfo.processInfo.environment
    if let child = WatchedProcess.current {
      HDF5Library.install(child)
      return child.endWithParent()
    }
    // An invitation that this process could not accept is a mistake of this program's.
    // Without this, every child would start another one.
    let value = environment[WatchInvitation.variable]
    guard value != "off", value.flatMap({ WatchInvitation($0) }) == nil else { return }
    var orders = WatchOrders()
    orders.unset = [WatchInvitation.variable] + (environment[backtraces] == nil ? [backtraces] : [])
    guard var child = try? ChildProcess(orders) else { return }
    while true {
      switch child.watch(counting: &orders.printed) {
      case .exited(let status): end(with: status)
      case .libraryFailed(let path, let reason):
        guard orders.failures.updateValue(reason, forKey: path) == nil,
          let next = try? ChildProcess(orders)
        else {
          Terminal.printError("parity-check: internal error: can't go on after \(path): \(reason)")
          end(with: 70)
        }
        child = next
      }
    }
  }

  private static func end(with status: CInt) -> Never {
    ParityCheckCommand.exit(withError: ExitCode(status))
  }
}
