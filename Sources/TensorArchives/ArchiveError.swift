/// Why a file, or one member of it, could not be read or written.
///
/// Its description is one line for people, with the path, the member where there is one,
/// and what was expected and found:
///
/// ```swift
/// do {
///   _ = try TensorContainer.open("gru.npz").tensor(named: "h_n")
/// } catch {
///   print(error)  // gru.npz: h_n: no such tensor; the file holds output
/// }
/// ```
///
/// It is no description of a fixture's mistakes: that a sound file holds the wrong
/// tensors is not for this module to know.
package struct ArchiveError: Error, Equatable {
  /// What is wrong, without the place. Code that reads a part of a file throws this alone;
  /// `locating` adds where it is.
  package enum Reason: Error, Equatable, Codable {
    /// The file can't be opened, read or listed; why, in the system's own words.
    case unreadable(String)
    /// The file can't be written; why, in the system's own words.
    case unwritable(String)
    /// The file is not of the format that its name promises.
    case wrongFormat(expected: String, found: String)
    /// The file ends before a part of it does.
    case truncated(String, expectedBytes: Int, foundBytes: Int)
    /// Two places of the file contradict each other; the first string names the part of
    /// the file that this is about.
    case corrupt(String, expected: String, found: String)
    /// The file is sound, and of a kind that this module does not read or write; the
    /// first string names the part of it that is.
    case unsupported(String, expected: String, found: String)
    /// The archive holds no tensor of the name that was asked for.
    case noSuchMember(available: [String])
    /// A link or a manifest leads to a file outside of the folders that may be read.
    /// The remedy is what whoever set the boundary says about how to widen it
    /// (`FileBoundary.remedy`).
    case outside(folders: [String], target: String, remedy: String?)
  }

  /// The path of the file, as it was given.
  package let path: String
  /// The part of the file that the error is about, such as a tensor's name; nil where it
  /// is about the whole file.
  package let member: String?
  package let reason: Reason

  package init(path: String, member: String? = nil, _ reason: Reason) {
    self.path = path
    self.member = member
    self.reason = reason
  }

  /// The same error, with a remedy where it is about a boundary.
  package func advising(_ remedy: String) -> ArchiveError {
    guard case .outside(let folders, let target, _) = reason else { return self }
    return ArchiveError(
      path: path, member: member, .outside(folders: folders, target: target, remedy: remedy))
  }
}

extension ArchiveError {
  /// Runs `work`, which reads a part of a file, and adds the place to the reason that it throws.
  ///
  /// ```swift
  /// let tensor = try ArchiveError.locating("h_n.npy") { () throws(ArchiveError.Reason) in
  ///   try NPY.decode(bytes)
  /// }
  /// ```
  ///
  /// - Parameters: as the properties of the same names.
  /// - Throws: `ArchiveError` with this path and member, and the reason.
  static func locating<Result>(
    _ path: String, member: String? = nil, _ work: () throws(Reason) -> Result
  ) throws(ArchiveError) -> Result {
    do { return try work() } catch { throw ArchiveError(path: path, member: member, error) }
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

  /// The first eight names, and how many more there are.
  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(8).joined(separator: ", ")
    switch names.count {
    case 0: return "none"
    case ...8: return shown
    default: return shown + " and \(names.count - 8) more"
    }
  }
}
