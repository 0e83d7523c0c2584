import Dispatch
import ExternalEngine
import Platform
import Synchronization
import SystemPackage
import TensorArchives

/// Ends the programs of `--engine` when a signal ends this process. They have process
/// groups of their own, so that a terminal's Ctrl-C does not reach them.
enum EngineSignals {
  /// The end of a pipe into which each signal's number is written.
  private static let writing = Atomic<CInt>(-1)

  /// Handles the signals from now on. Called once. Where no pipe can be made, they end this process
  /// alone.
  static func endEngines() {
    guard let (reading, writing) = try? FileDescriptor.pipe() else { return }
    try? reading.closeOnExecution()
    try? writing.closeOnExecution()
    Self.writing.store(writing.rawValue, ordering: .sequentiallyConsistent)
    // A queue of its own, so that no thread of the pool that judges waits here.
    DispatchQueue(label: "parity-check.signals").async {
      while let number = reading.bytes(1)?.first { end(by: CInt(number)) }
    }
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
      // A handler, which is there from one moment to the next: no signal may be lost.
      signal(number) { number in
        // Nothing here but calls that a signal's handler may make.
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(EngineSignals.writing.load(ordering: .sequentiallyConsistent), &byte, 1)
      }
    }
  }

  private static func end(by number: CInt) {
    // No case has failed because somebody has stopped its engine.
    Terminal.silence()
    RunningEngines.shared.end()
    signal(number, SIG_DFL)
    // Not `raise`: the queue's thread lets no signal through.
    kill(getpid(), number)
  }
}
