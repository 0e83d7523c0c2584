/// The folders that may be read from. Neither a symbolic link nor a path in a manifest leads out
/// of them, so that judging files from an unknown source reads no other files.
///
/// ```swift
/// let boundary = FileBoundary(["Fixtures"])
/// try boundary.check("Fixtures/gru.npz")  // throws where that links to another place
/// ```
package struct FileBoundary: Sendable, Hashable {
  /// The paths of the folders from the root, without symbolic links.
  private let folders: [String]

  /// What can be done to read what lies outside, in a few words, for the error: an option
  /// of the program's, say. Nil where there is nothing to advise.
  package var remedy: String?

  /// - Parameter folders: those that may be read, with all that lies in them. One that is
  ///   not there holds nothing.
  package init(_ folders: [String]) { self.folders = folders.compactMap(Self.resolved) }

  /// - Throws: `ArchiveError` where nothing is at `path`, and where it lies outside of
  ///   the folders once every symbolic link on the way is followed.
  package func check(_ path: String) throws(ArchiveError) {
    guard let target = Self.resolved(path) else {
      throw ArchiveError(path: path, .unreadable("no such file or folder"))
    }
    let isInside = folders.contains { target == $0 || target.hasPrefix($0 == "/" ? $0 : $0 + "/") }
    guard isInside else {
      throw ArchiveError(path: path, .outside(folders: folders, target: target, remedy: remedy))
    }
  }

  /// The path of a file or folder from the root, without symbolic links; nil where
  /// nothing is at `path`. Two paths lead to the same file where these are equal.
  package static func resolved(_ path: String) -> String? {
    try? SystemCall.resolve(path)
  }
}
