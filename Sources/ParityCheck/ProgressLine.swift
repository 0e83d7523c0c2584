import ParityFixtures
import ParityReports
import Synchronization

/// On a terminal, one line below the report that says what is being judged.
final class ProgressLine: Sendable {
  private struct State {
    var started = 0
    var text = ""
  }

  private let total: Int
  private let isShown: Bool
  private let state = Mutex(State())

  init(total: Int) {
    self.total = total
    isShown = Terminal.showsProgress
  }

  /// Called when a case starts, on any thread.
  func show(_ location: CaseLocation) {
    guard isShown else { return }
    state.withLock { state in
      state.started += 1
      let name = Style.printable(location.name).prefix(60)
      state.text = "judging \(state.started) of \(total): \(name)"
      Terminal.writeError(Self.erasing + state.text)
    }
  }

  /// Prints above the line, which stays.
  func above(_ print: () -> Void) {
    guard isShown else { return print() }
    state.withLock { state in
      Terminal.writeError(Self.erasing)
      print()
      Terminal.writeError(state.text)
    }
  }

  func erase() {
    guard isShown else { return }
    state.withLock { state in
      state.text = ""
      Terminal.writeError(Self.erasing)
    }
  }

  private static let erasing = "\r\u{1B}[K"
}
