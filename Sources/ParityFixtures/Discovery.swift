package import TensorArchives

/// The cases under the paths that a user names.
package struct Discovery: Sendable {
  package private(set) var cases: [CaseLocation] = []
  /// Paths that can't be looked into.
  package private(set) var errors: [ArchiveError] = []
  /// Files that are neither a case nor known to be something else.
  package private(set) var otherFiles: [String] = []

  /// - Parameters:
  ///   - paths: a file is a case; a folder with `manifest.json` is a case; any
  ///     other folder is searched. Its cases come in the order of their names.
  ///   - allowedRoots: folders that links and manifests may lead into, beside
  ///     the path itself.
  package init(paths: [String], allowedRoots: [String] = []) {
    for root in allowedRoots {
      do {
        _ = try FileBytes.kind(of: root)
      } catch {
        errors.append(error)
      }
    }
    for path in paths {
      var path = path
      while path.count > 1, path.hasSuffix("/") { path.removeLast() }
      var search = Search(boundary: FileBoundary([path] + allowedRoots))
      search.visit(path)
      cases += search.cases.sorted { $0.name < $1.name }
      errors += search.errors
      otherFiles += search.otherFiles
    }
    makeNamesUnique()
  }

  /// Names that stand for two cases give way to the paths.
  private mutating func makeNamesUnique() {
    let counts = Dictionary(cases.map { ($0.name, 1) }, uniquingKeysWith: +)
    cases = cases.map {
      counts[$0.name] == 1
        ? $0 : CaseLocation(name: $0.path, path: $0.path, boundary: $0.boundary)
    }
  }
}
