/// What a tensor may be called, so that every format can hold it, and is read again with
/// the same name.
enum TensorName {
  /// - Throws: `ArchiveError` for a name that leads out of a folder (`../x`, `/x`),
  ///   that a reader passes over (`.x`), or that nests deeper than it looks.
  static func check(_ name: String, path: String) throws(ArchiveError) {
    func refuse(_ expected: String) -> ArchiveError {
      ArchiveError(
        path: path, member: name, .unsupported("name", expected: expected, found: "\"\(name)\""))
    }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !$0.isEmpty }) else {
      throw refuse("words with one / between them, none before or after")
    }
    guard parts.allSatisfy({ !$0.hasPrefix(".") }) else {
      throw refuse("words that do not start with a dot")
    }
    guard parts.count <= FolderWalk.deepest else {
      throw refuse("at most \(FolderWalk.deepest) levels")
    }
    let isPrintable = name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    guard isPrintable else { throw refuse("no control characters") }
  }
}
