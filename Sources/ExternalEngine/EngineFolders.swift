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

  /// - Parameter kept: a folder in which each case gets one of its own name; nil for temporary
  ///   folders.
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
  /// - Throws: `ArchiveError` where the system refuses, and where a folder that is kept is there
  ///   already.
  func make(for name: String, isRepeated: Bool) throws(ArchiveError) -> String {
    guard let kept else {
      let folder = Self.temporary.appending(path: Self.prefix(getpid()) + UUID().uuidString)
      return try make(folder.path(percentEncoded: false))
    }
    let folder = "\(kept)/\(name)" + (isRepeated ? " (second run)" : "")
    guard !FileManager.default.fileExists(atPath: folder) else {
      throw ArchiveError(
        path: folder, .unreadable("is there already; remove it, or keep files in another folder"))
    }
    return try make(folder)
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
