package import TensorArchives

/// Finds the cases under the paths that a user names. None is loaded, so that a file which is no
/// case can be among them.
///
/// ```swift
/// let discovery = Discovery(paths: ["Fixtures", "mine/gru.npz"])
/// for location in discovery.cases { print(location.name, location.path) }
/// ```
package struct Discovery: Sendable {
  package private(set) var cases: [CaseLocation] = []
  /// Why some paths could not be searched. The others were.
  package private(set) var errors: [ArchiveError] = []
  /// Files that are neither a case nor known to be something else.
  package private(set) var otherFiles: [String] = []

  /// - Parameters:
  ///   - paths: files and folders. A file is a case, and so is a folder with a
  ///     `manifest.json`. Any other folder is searched, and its cases are sorted by name.
  ///   - allowedRoots: folders, beside the path itself, that symbolic links and manifests may
  ///     lead into.
  package init(paths: [String], allowedRoots: [String] = []) {
    for root in allowedRoots {
      do {
        _ = try FileBytes.kind(of: root)
      } catch {
        errors.append(error)
      }
    }
    for path in paths {
      let path = TensorContainer.withoutEndingSlashes(path)
      var search = Search(boundary: FileBoundary([path] + allowedRoots))
      search.visit(path)
      cases += search.cases.sorted { $0.name < $1.name }
      errors += search.errors
      otherFiles += search.otherFiles
    }
    makeNamesUnique()
  }

  /// Gives cases that have the same name their paths as names.
  private mutating func makeNamesUnique() {
    let counts = Dictionary(cases.map { ($0.name, 1) }, uniquingKeysWith: +)
    cases = cases.map {
      counts[$0.name] == 1
        ? $0 : CaseLocation(name: $0.path, path: $0.path, boundary: $0.boundary)
    }
  }
}
