/// Why a file, or one member of it, could not be read or written.
///
/// One line for people: path, member, and what was expected and found.
package struct ArchiveError: Error, Equatable {
  package enum Reason: Equatable, Sendable {
    /// The system's own words for why a file can't be opened or listed.
    case unreadable(String)
    /// The same, for why a file can't be written.
    case unwritable(String)
    /// The file is not of the format that its name promises.
    case wrongFormat(expected: String, found: String)
    /// The file ends too early.
    case truncated(String, expectedBytes: Int, foundBytes: Int)
    /// Two places of the file contradict each other.
    case corrupt(String, expected: String, found: String)
    /// Sound, but of a kind that this reader does not read.
    case unsupported(String, expected: String, found: String)
    /// Nothing of this name, or nothing that stands out without one.
    case noSuchMember(available: [String])
    /// A link or a manifest leads to where nobody allowed to read. The remedy is what
    /// whoever set the boundary says about how to widen it (`FileBoundary.remedy`).
    case outside(folders: [String], target: String, remedy: String?)
  }

  package let path: String
  package let member: String?
  package let reason: Reason

  package init(path: String, member: String? = nil, _ reason: Reason) {
    self.path = path
    self.member = member
    self.reason = reason
  }
}

extension ArchiveError {
  /// The same error, with a remedy where it is about a boundary.
  package func advising(_ remedy: String) -> ArchiveError {
    guard case .outside(let folders, let target, _) = reason else { return self }
    return ArchiveError(
      path: path, member: member, .outside(folders: folders, target: target, remedy: remedy))
  }
}

extension ArchiveError: CustomStringConvertible {
  package var description: String {
    ([path, member].compactMap(\.self) + ["\(reason)"]).joined(separator: ": ")
  }
}

extension ArchiveError.Reason: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unreadable(let words), .unwritable(let words):
      words
    case .wrongFormat(let expected, let found):
      "expected \(expected), found \(found)"
    case .truncated(let what, let expected, let found):
      "\(what) is cut off: expected \(expected) bytes, found \(found)"
    case .corrupt(let what, let expected, let found),
      .unsupported(let what, let expected, let found):
      "\(what): expected \(expected), found \(found)"
    case .outside(let folders, let target, let remedy):
      "expected a file inside \(folders.joined(separator: " or ")), found \(target)"
        + (remedy.map { "; " + $0 } ?? "")
    case .noSuchMember(let available):
      "no such tensor; the file holds " + Self.list(available)
    }
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(8).joined(separator: ", ")
    switch names.count {
    case 0: return "none"
    case ...8: return shown
    default: return shown + " and \(names.count - 8) more"
    }
  }
}
