#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A hidden name beside the one that a file or folder will have: it is moved there
/// when it is whole, so that nothing half written ever stands under its own name.
struct TemporarySibling: ~Copyable {
  /// Where it will stand.
  let path: String
  let temporaryPath: String

  init(of path: String) {
    self.path = path
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let mark = hexadecimal(UInt64.random(in: .min ... .max), digits: 16)
    temporaryPath = path[..<start] + ".\(path[start...]).\(mark)"
  }

  /// Moves it to where it belongs, in place of a file that stood there.
  func commit() throws(ArchiveError) {
    try ArchiveError.writing(path) { try SystemCall.move(temporaryPath, to: path) }
  }

  // What was moved away is not found here.
  deinit { try? FileManager.default.removeItem(atPath: temporaryPath) }
}
