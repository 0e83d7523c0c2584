import ArgumentParser
import TensorArchives

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Runs this program as its own child, so that a file on which libhdf5 crashes or
/// loops costs that file and not the run: the child is started again, told to
/// leave the file alone, and prints on from where the other stopped. (Of 4,500
/// small files with a few damaged bytes, libhdf5 1.10.8 crashed on five and looped
/// on three.)
///
/// With `PARITY_CHECK_WATCH=off` in the environment, for a debugger, there is no
/// child.
enum Supervisor {
  /// By which Swift's runtime is told whether a crash prints where it happened. The
  /// child's do not: a crash is told of in one line.
  static let backtraces = "SWIFT_BACKTRACE"

  /// Ends the process with the child's status. Returns where this is the child, or
  /// where none can be started.
  static func run() {
    let environment = ProcessInfo.processInfo.environment
    if let child = WatchedProcess.current {
      HDF5Library.install(child)
      return child.endWithParent()
    }
    // Three numbers that are not for this process are a mistake of this program's, and
    // no reason to start one child after the other.
    let value = environment[Invitation.variable]
    guard value != "off", value.flatMap({ Invitation($0) }) == nil else { return }
    var orders = WatchOrders()
    orders.unset = [Invitation.variable] + (environment[backtraces] == nil ? [backtraces] : [])
    guard var child = try? ChildProcess(orders) else { return }
    while true {
      switch child.watch(counting: &orders.printed) {
      case .exited(let status): end(with: status)
      case .lost(let path, let words):
        guard orders.lost.updateValue(words, forKey: path) == nil,
          let next = try? ChildProcess(orders)
        else {
          Terminal.printError("parity-check: internal error: can't go on after \(path): \(words)")
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
