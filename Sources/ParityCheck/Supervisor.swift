import ArgumentParser
import ExternalEngine
import Platform
import TensorArchives

/// Runs this program as its own child, and watches over it, so that a case on which the program
/// crashes, or that fills the memory, costs that case alone and not the whole run.
///
/// 1. This process starts the program again (`ChildProcess`), with an invitation in the
///    environment (`WatchInvitation`) and orders through a socket (`WatchOrders`).
/// 2. The child takes both out of its environment (`WatchedProcess`), works, and reports
///    through a pipe which cases it judges and has printed (`WatchEvent`).
/// 3. When the child ends, this process ends with its status, unless it crashed. Then another
///    child is started that goes on where the first one stopped, without the case on which it
///    crashed. Where several were at work, the new child judges one at a time, until the crash
///    comes again.
///
/// HDF5 files are read by processes of their own (`HDF5Readers`).
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
      #if HDF5
        HDF5Library.useReaders(ChildProcess.program.map { HDF5Readers(program: $0) })
      #endif
      return child.endWithParent()
    }
    // An invitation that this process could not accept is a mistake of this program's.
    // Without this, every child would start another one.
    let value = environment[WatchInvitation.variable]
    guard value != "off", value.flatMap({ WatchInvitation($0) }) == nil else { return }
    var orders = WatchOrders()
    orders.unset = [WatchInvitation.variable] + (environment[backtraces] == nil ? [backtraces] : [])
    Descendants.adopt()
    ForwardedSignals.start()
    while let child = try? ChildProcess(orders) {
      let ended = child.watch(&orders)
      if !ended.isOrderly {
        Descendants.end()
        EngineFolders.remove(leftBy: child.process)
      }
      switch ended {
      case .exited(let status): end(with: status)
      case .crashed(let reason, let cases):
        if cases.count == 1 {
          orders.crashes[cases[0]] = reason
          orders.isAlone = false
        } else if cases.count > 1, !orders.isAlone {
          orders.isAlone = true
        } else {
          Terminal.printError("parity-check: internal error: \(reason)")
          end(with: 70)
        }
      }
    }
    // The first child judges; without one, this process does. A later one has to go on.
    guard orders.printed.isEmpty, orders.crashes.isEmpty, !orders.isAlone else {
      Terminal.printError("parity-check: internal error: can't start another process")
      end(with: 70)
    }
  }

  private static func end(with status: CInt) -> Never {
    ParityCheckCommand.exit(withError: ExitCode(status))
  }
}
