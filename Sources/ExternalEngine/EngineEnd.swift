import Subprocess

/// How a user's program ended.
enum EngineEnd: Equatable, Sendable {
  /// With an exit status.
  case exited(Int)
  /// By a signal that this process has not sent.
  case signal(Int)
  /// It was still running after `limit`, and was ended.
  case outOfTime(limit: Duration)
  /// It was not started, for a reason in the system's words.
  case notStarted(String)

  init(_ status: TerminationStatus) {
    self =
      switch status {
      case .exited(let status): .exited(Int(status))
      case .signaled(let signal): .signal(Int(signal))
      }
  }

  /// What the report says of it.
  ///
  /// - Parameter program: its name.
  func reason(_ program: String) -> String {
    switch self {
    case .exited(0): "the engine ended well"
    case .exited(let status): "the engine ended with exit status \(status)"
    case .signal(let signal): "the engine was ended by signal \(signal)"
    case .outOfTime(let limit):
      "the engine was ended after \(limit), which --engine-timeout allows"
    case .notStarted(let reason): "can't run \(program): \(reason)"
    }
  }
}
