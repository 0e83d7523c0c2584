import Dispatch
import ExternalEngine
import Platform

/// Ends the programs of `--engine` when a signal ends this process. They have process
/// groups of their own, so that a terminal's Ctrl-C does not reach them.
enum EngineSignals {
  /// The queue on which the signals are handled.
  private static let queue = DispatchQueue(label: "parity-check.signals")
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []

  /// Handles the signals from now on. Called once.
  static func endEngines() {
    queue.sync {
      sources = [SIGINT, SIGTERM, SIGHUP, SIGQUIT].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler {
          // No case has failed because somebody has stopped its engine.
          Terminal.silence()
          RunningEngines.shared.end()
          signal(number, SIG_DFL)
          // Not `raise`: the queue's thread lets no signal through.
          kill(getpid(), number)
        }
        source.resume()
        return source
      }
    }
  }
}
