import Dispatch
import ExternalEngine
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

/// Runs this program as its own child, so that a file on which libhdf5 crashes or
/// loops costs that file and not the run: the child is started again, told to
/// leave the file alone, and prints on from where the other stopped. (Of 4,500
/// small files with a few damaged bytes, libhdf5 1.10.8 crashed on five and looped
/// on three.)
///
/// With `PARITY_CHECK_WATCH=off` in the environment, for a debugger, there is no
/// child.
struct Supervisor {
  private var lost: [String: String] = [:]
  private var printed = 0

  /// Ends the process with the child's status. Returns where this is the child, or
  /// where none can be started.
  static func run() {
    let environment = ProcessInfo.processInfo.environment
    guard environment[HDF5Watch.Key.descriptor] == nil else {
      return HDF5Watch.shared.descriptor.map(endWithParent) ?? ()
    }
    var supervisor = Supervisor()
    guard var child = ChildProcess(environment, lost: [:], printed: 0) else { return }
    while true {
      let end = child.watch()
      supervisor.printed = max(supervisor.printed, end.printed)
      guard let path = end.lostOn else { exit(end.status) }
      guard supervisor.lost.updateValue(end.words, forKey: path) == nil,
        let next = ChildProcess(
          environment, lost: supervisor.lost, printed: supervisor.printed)
      else {
        Terminal.printError("parity-check: internal error: can't go on after \(path): \(end.words)")
        exit(70)
      }
      child = next
    }
  }

  /// A child whose parent was killed has nobody to print for: the pipe tells.
  private static func endWithParent(_ descriptor: CInt) {
    // A queue of its own, so that no thread of the pool that judges waits here.
    DispatchQueue(label: "parity-check.watch").async {
      var request = pollfd(fd: descriptor, events: 0, revents: 0)
      while poll(&request, 1, -1) < 0, errno == EINTR {}
      RunningEngines.shared.end()
      _exit(128 + SIGTERM)
    }
  }
}
