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

  /// The most bytes of a tensor's name that are read.
  private static let longest = 1024

  /// Refuses what no tensor is called, and what would not be safe to show or to use as a path.
  /// Names that could not be written, such as ONNX's `/lstm/Constant`, are read.
  ///
  /// - Throws: `ArchiveError.Reason` for control characters, for a word `..` between slashes,
  ///   and for a name that is too long.
  static func checkRead(_ name: String) throws(ArchiveError.Reason) {
    let expected: String
    if name.utf8.count > longest {
      expected = "at most \(longest) bytes"
    } else if name.split(separator: "/").contains("..") {
      expected = "no .. between slashes"
    } else if hasControl(name) {
      expected = "no control characters"
    } else {
      return
    }
    throw .unsupported("name", expected: expected, found: shown(name))
  }

  /// A name in quotes, short and without control characters.
  static func shown(_ name: String) -> String { "\"" + short(name) + "\"" }

  /// A name as it stands, if it is short and without control characters.
  static func short(_ name: String) -> String {
    let scalars = name.unicodeScalars.prefix(120).map { scalar in
      scalar.properties.generalCategory == .control
        ? "\\u{" + String(scalar.value, radix: 16) + "}" : String(scalar)
    }
    return scalars.joined() + (name.unicodeScalars.count > scalars.count ? "…" : "")
  }

  private static func hasControl(_ name: String) -> Bool {
    name.unicodeScalars.contains { $0.properties.generalCategory == .control }
  }

  /// What is expected of names, and is not so of this one; nil where all is.
  private static func expectation(brokenBy name: String) -> String? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    if parts.contains("") { return "words with one / between them, none before or after" }
    if parts.contains(where: { $0.hasPrefix(".") }) {
      return "words that do not start with a dot"
    }
    if parts.count > FolderWalk.largestDepth { return "at most \(FolderWalk.largestDepth) levels" }
    return hasControl(name) ? "no control characters" : nil
  }
}
