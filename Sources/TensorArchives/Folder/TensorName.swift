/// What a tensor may be called, so that every format can hold it, and is read again with
/// the same name.
enum TensorName {
  /// - Throws: `ArchiveError` for the first name that leads out of a folder (`../x`, `/x`),
  ///   that a reader passes over (`.x`), or that nests deeper than it looks.
  static func check(_ names: some Sequence<String>, path: String) throws(ArchiveError) {
    for name in names.sorted() {
      guard let expected = expectation(brokenBy: name) else { continue }
      throw ArchiveError(
        path: path, member: name, .unsupported("name", expected: expected, found: "\"\(name)\""))
    }
  }

  /// What is expected of names, and is not so of this one; nil where all is.
  private static func expectation(brokenBy name: String) -> String? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    if parts.contains("") { return "words with one / between them, none before or after" }
    if parts.contains(where: { $0.hasPrefix(".") }) {
      return "words that do not start with a dot"
    }
    if parts.count > FolderWalk.largestDepth { return "at most \(FolderWalk.largestDepth) levels" }
    let hasControl = name.unicodeScalars.contains { $0.properties.generalCategory == .control }
    return hasControl ? "no control characters" : nil
  }
}
