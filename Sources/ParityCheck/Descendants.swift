import CProcesses
import Platform

/// The processes that a process which this one watched has started and left running: engines, and
/// what these have started. On Linux they become this process's own children when that one ends,
/// and can be ended. On other systems nothing is done (and none of this is tested).
enum Descendants {
  /// Has the system hand over orphans from now on.
  static func adopt() { parity_adopt_orphans() }

  /// Ends all children of this process, and theirs.
  static func end() {
    #if os(Linux)
      // Whoever loses its parent is a child afterwards, a bounded number of times.
      for _ in 0..<1000 {
        let children = children()
        if children.isEmpty { return }
        for child in children {
          kill(child, SIGKILL)
          var state: CInt = 0
          while waitpid(child, &state, 0) < 0, errno == EINTR {}
        }
      }
    #endif
  }

  /// The children of this process, by the parents that `/proc` states for all processes.
  private static func children() -> [pid_t] {
    let own = "\(getpid())"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.filter { process in
      guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat") else {
        return false
      }
      // The name, which may hold anything, is in brackets: "4711 (sh) S 4242 …".
      let text = String(decoding: data, as: UTF8.self)
      guard let bracket = text.lastIndex(of: ")") else { return false }
      let rest = text[text.index(after: bracket)...].split(separator: " ")
      return rest.count > 1 && rest[1] == own
    }
  }
}
