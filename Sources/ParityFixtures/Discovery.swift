package import TensorArchives

/// A case that was found, not loaded yet.
package struct CaseLocation: Sendable, Hashable {
  /// The path below what the user named, without the file's ending.
  package let name: String
  package let path: String

  package init(name: String, path: String) {
    self.name = name
    self.path = path
  }
}

/// The cases under the paths that a user names.
package struct Discovery: Sendable {
  package private(set) var cases: [CaseLocation] = []
  /// Paths that can't be looked into.
  package private(set) var errors: [ArchiveError] = []
  /// Files that are neither a case nor known to be something else.
  package private(set) var strangers: [String] = []

  /// A link can lead back to its own folder.
  private static let deepest = 32
  private static let manifestName = "manifest.json"

  /// - Parameter paths: a file is a case; a folder with `manifest.json` is a
  ///   case; any other folder is searched. Its cases come in the order of their names.
  package init(paths: [String]) {
    for path in paths {
      var path = path
      while path.count > 1, path.hasSuffix("/") { path.removeLast() }
      let first = cases.count
      do {
        try visit(path, name: [], depth: 0)
      } catch {
        errors.append(error)
      }
      cases[first...].sort { $0.name < $1.name }
    }
    makeNamesUnique()
  }

  private mutating func visit(
    _ path: String, name: [String], depth: Int
  ) throws(ArchiveError) {
    let fileName = path.split(separator: "/").last.map(String.init) ?? path
    guard try FileBytes.kind(of: path) == .folder else {
      if depth > 0, TensorContainer(path: path)?.holdsNames != true {
        if !fileName.uppercased().hasPrefix("README") { strangers.append(path) }
        return
      }
      let stem = fileName.lastIndex(of: ".").map { fileName[..<$0] } ?? fileName[...]
      let parents = name.dropLast()
      cases.append(
        CaseLocation(name: (parents + [String(stem)]).joined(separator: "/"), path: path))
      return
    }
    let files = try FileBytes.names(in: path)
    if files.contains(Self.manifestName) {
      cases.append(
        CaseLocation(name: name.isEmpty ? fileName : name.joined(separator: "/"), path: path))
      return
    }
    guard depth < Self.deepest else {
      throw ArchiveError(
        path: path,
        .unsupported("folder", expected: "at most \(Self.deepest) levels", found: "more"))
    }
    for file in files {
      do {
        try visit(path + "/" + file, name: name + [file], depth: depth + 1)
      } catch {
        errors.append(error)
      }
    }
  }

  /// Names that stand for two cases give way to the paths.
  private mutating func makeNamesUnique() {
    let counts = Dictionary(cases.map { ($0.name, 1) }, uniquingKeysWith: +)
    cases = cases.map {
      counts[$0.name] == 1 ? $0 : CaseLocation(name: $0.path, path: $0.path)
    }
  }
}
