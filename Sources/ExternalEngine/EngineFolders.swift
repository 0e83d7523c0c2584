package import Platform

/// The folders in which engines find their cases and write their outputs, one for each run, beside
/// other temporary files. Each carries the number of the process that has made it, so that what a
/// crash has left can be removed by another.
package enum EngineFolders {
  private static var temporary: URL { FileManager.default.temporaryDirectory }

  private static func prefix(_ process: pid_t) -> String { "parity-check-\(process)-" }

  /// The path of the folder that they are made in.
  static var place: String { temporary.path(percentEncoded: false) }

  /// Makes an empty folder.
  ///
  /// - Throws: where the system refuses.
  static func make() throws -> String {
    let folder = temporary.appending(path: prefix(getpid()) + UUID().uuidString)
      .path(percentEncoded: false)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    return folder
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
