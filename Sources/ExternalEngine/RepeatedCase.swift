import Synchronization

/// The one case that a program is run on twice: a certain one, so that it is the same in each run
/// of the tool, or, where the program gives nothing for that one, the next that it computes.
final class RepeatedCase: Sendable {
  private enum State {
    case awaiting(path: String)
    case open
    case taken
  }

  private let state: Mutex<State>

  /// - Parameter path: of the case; nil for none.
  init(path: String?) { state = Mutex(path.map { .awaiting(path: $0) } ?? .taken) }

  /// Whether a case is the one, now that the program has been run on it.
  ///
  /// - Parameter isComputed: whether that run gave outputs.
  func isIt(path: String, isComputed: Bool) -> Bool {
    state.withLock { state in
      switch state {
      case .taken: return false
      case .awaiting(let awaited) where awaited != path: return false
      case .awaiting, .open:
        state = isComputed ? .taken : .open
        return isComputed
      }
    }
  }
}
