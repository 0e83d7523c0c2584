import ParityFixtures
import ParityReports
import Synchronization

/// A line below the report that says which case is being judged. It is shown on a terminal
/// alone, and may be used on any thread.
final class ProgressLine: Sendable {
  private let total: Int
  private let isShown: Bool
  /// The number of cases that were started, and what the line shows.
  private let state = Mutex((started: 0, text: ""))

  /// - Parameter total: the number of cases that will be judged.
  init(total: Int) {
    self.total = total
    isShown = Terminal.showsProgress
  }

  /// Shows a case that is started.
  func show(_ location: CaseLocation) {
    guard isShown else { return }
    state.withLock { state in
      state.started += 1
      let name = Style.printable(location.name).prefix(60)
      state.text = "judging \(state.started) of \(total): \(name)"
      Terminal.writeError(Self.erasing + state.text)
    }
  }

  /// Calls `print`, which prints whole lines, so that they stand above this one.
  func above(_ print: () -> Void) {
    guard isShown else { return print() }
    state.withLock { state in
      Terminal.writeError(Self.erasing)
      print()
      Terminal.writeError(state.text)
    }
  }

  /// Takes the line away.
  func erase() {
    guard isShown else { return }
    state.withLock { state in
      state.text = ""
      Terminal.writeError(Self.erasing)
    }
  }

  /// What takes a terminal to the start of an empty line.
  private static let erasing = "\r\u{1B}[K"
}
