package import Platform
import TensorArchives

/// The folders in which engines find their cases and write their outputs, one for each run. They
/// stand beside other temporary files and are removed after the run, unless the user wants to keep
/// them.
///
/// The name of a temporary one carries the number of the process that has made it, so that what a
/// crash has left can be removed by another.
package struct EngineFolders: Sendable {
  /// Where folders are kept; nil where they are not.
  private let kept: String?

  /// - Parameter kept: a folder in which each case gets one of its own name, with `__` in the place
  ///   of slashes; nil for temporary folders.
  package init(kept: String? = nil) { self.kept = kept }

  private static var temporary: URL { FileManager.default.temporaryDirectory }

  private static func prefix(_ process: pid_t) -> String { "parity-check-\(process)-" }

  /// The path of the folder that temporary ones are made in.
  private static var place: String { temporary.path(percentEncoded: false) }

  /// Makes an empty folder for one run.
  ///
  /// - Parameters:
  ///   - name: of the case.
  ///   - isRepeated: whether it is the second run on this case.
  /// - Throws: `ArchiveError` where the system refuses, and where files of others would be replaced.
  func make(for name: String, isRepeated: Bool) throws(ArchiveError) -> String {
    guard let kept else {
      let folder = Self.temporary.appending(path: Self.prefix(getpid()) + UUID().uuidString)
      return try make(folder.path(percentEncoded: false))
    }
    // Slashes are those of folders, out of which no folder is to lead.
    let folder =
      "\(kept)/\(name.replacing("/", with: "__"))" + (isRepeated ? " (second run)" : "")
    try clear(folder)
    return try make(folder)
  }

  /// Removes what an earlier run has kept.
  ///
  /// - Throws: `ArchiveError` where something else is there.
  private func clear(_ folder: String) throws(ArchiveError) {
    guard FileManager.default.fileExists(atPath: folder) else { return }
    let names = try FileBytes.names(in: folder)
    let others = names.filter { name in
      Int(name) == nil && !["case", "outputs"].contains { name.hasPrefix($0) }
    }
    if let other = others.first {
      throw ArchiveError(
        path: folder, .unreadable("holds \(other), which is not kept here; name another folder"))
    }
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Makes an empty folder in that of a run, for one chunk of a stream.
  ///
  /// - Throws: `ArchiveError` where the system refuses.
  func make(in folder: String, chunk: Int) throws(ArchiveError) -> String {
    try make("\(folder)/\(chunk)")
  }

  private func make(_ folder: String) throws(ArchiveError) -> String {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: kept != nil)
      return folder
    } catch {
      throw ArchiveError(
        path: kept ?? Self.place,
        .unreadable(
          "can't make a folder for the engine's files (\(systemWords(for: error)))"
            + (kept == nil ? "; TMPDIR names another place" : "")))
    }
  }

  /// Removes a folder after its run, unless it is kept.
  func remove(_ folder: String) {
    if kept == nil { try? FileManager.default.removeItem(atPath: folder) }
  }

  /// Removes the folders that a process has left, which has ended.
  package static func remove(leftBy process: pid_t) {
    let path = place
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    where name.hasPrefix(prefix(process)) {
      try? FileManager.default.removeItem(at: temporary.appending(path: name))
    }
  }
}
