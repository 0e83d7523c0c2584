import SystemPackage

/// The files that this process may still open, which the system bounds (`ulimit -n`).
enum OpenFiles {
  /// How many this process needs for itself while engines run, at most.
  static let ownCount = 8
  /// How many it needs for one engine, at most: pipes to and from it, and the case's own files.
  static let engineCount = 12

  /// How many can be opened now, counted up to `most`.
  static func free(atMost most: Int) -> Int {
    guard let file = try? FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec) else {
      return 0
    }
    var copies = [file]
    defer { for copy in copies { try? copy.close() } }
    while copies.count < most, let copy = try? file.duplicate() { copies.append(copy) }
    return copies.count
  }
}
