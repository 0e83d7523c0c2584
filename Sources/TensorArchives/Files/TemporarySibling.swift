import Platform

/// A hidden name beside the name that a file or folder will have. It is written under the
/// hidden name and moved when it is whole, so that nothing half written ever has its own.
///
/// What was not moved when the value ends is deleted.
struct TemporarySibling: ~Copyable {
  /// Where the file or folder will be.
  let path: String
  /// Where it is to be written; nothing is there at first.
  let temporaryPath: String

  init(of path: String) {
    self.path = path
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let mark = hexadecimal(UInt64.random(in: .min ... .max), digits: 16)
    temporaryPath = path[..<start] + ".\(path[start...]).\(mark)"
  }

  /// Gives what was written its own name. A file that is there already is replaced.
  ///
  /// - Throws: `ArchiveError` where the system refuses.
  func commit() throws(ArchiveError) {
    try ArchiveError.writing(path) { try SystemCall.move(temporaryPath, to: path) }
  }

  // What was moved away is not found here.
  deinit { try? FileManager.default.removeItem(atPath: temporaryPath) }
}
