/// The folders that a run may read from: neither symbolic links nor the paths
/// in a manifest lead out of them.
package struct FileBoundary: Sendable, Hashable {
  /// Without symbolic links.
  private let folders: [String]

  /// What can be done to read what lies outside, in a few words, for the error: an option
  /// of the program's, say. Nil where there is nothing to advise.
  package var remedy: String?

  package init(_ folders: [String]) { self.folders = folders.compactMap(Self.resolved) }

  /// - Throws: `ArchiveError` where nothing stands at `path`, or it lies outside
  ///   once every symbolic link on the way is followed.
  package func check(_ path: String) throws(ArchiveError) {
    guard let target = Self.resolved(path) else {
      throw ArchiveError(path: path, .unreadable("no such file or folder"))
    }
    let isInside = folders.contains { target == $0 || target.hasPrefix($0 == "/" ? $0 : $0 + "/") }
    guard isInside else {
      throw ArchiveError(path: path, .outside(folders: folders, target: target, remedy: remedy))
    }
  }

  /// The path that the system knows a file by; nil where there is none.
  package static func resolved(_ path: String) -> String? {
    try? SystemCall.resolve(path)
  }
}
