import Dispatch
import ExternalEngine

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Programs of `--engine` have process groups of their own, so that a terminal's Ctrl-C
/// does not reach them: they are ended with this process.
enum EngineSignals {
  private static let queue = DispatchQueue(label: "parity-check.signals")
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []

  /// From now on; called once.
  static func endEngines() {
    queue.sync {
      sources = [SIGINT, SIGTERM, SIGHUP].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler {
          RunningEngines.shared.end()
          signal(number, SIG_DFL)
          raise(number)
        }
        source.resume()
        return source
      }
    }
  }
}
