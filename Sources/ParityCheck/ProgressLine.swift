import ParityFixtures
import ParityReports
import Synchronization

/// On a terminal, one line below the report that says what is being judged, and
/// that each line of the report replaces.
final class ProgressLine: Sendable {
  private let total: Int
  private let isShown: Bool
  private let started = Mutex(0)

  init(total: Int) {
    self.total = total
    isShown = Terminal.showsProgress
  }

  /// Called when a case starts, on any thread.
  func show(_ location: CaseLocation) {
    guard isShown else { return }
    started.withLock { started in
      started += 1
      let name = Style.printable(location.name).prefix(60)
      Terminal.writeError("\r\u{1B}[Kjudging \(started) of \(total): \(name)")
    }
  }

  func erase() {
    guard isShown else { return }
    started.withLock { _ in Terminal.writeError("\r\u{1B}[K") }
  }
}
