import ParityFixtures
import ParityReports
import TensorArchives

/// What stands under the paths of a command line.
///
/// Links and manifests lead no further than these paths. Whoever meets their end on the
/// command line is told of the option that moves it, which a library's users have not.
struct FoundCases {
  /// All cases, those that the filter leaves out among them.
  let all: [CaseLocation]
  /// Those that the filter leaves.
  let cases: [CaseLocation]
  /// Why some paths can't be looked into.
  let errors: [ArchiveError]
  /// Files that are no cases, nor known to be something else.
  let otherFiles: [String]

  private static let remedy = "--allow-root permits its folder"

  /// - Throws: `ValidationError` where `filter` is no regular expression.
  init(in paths: [String], allowing roots: [String], matching filter: String?) throws {
    let filter = try NameFilter(filter, option: "--filter")
    let discovery = Discovery(paths: paths, allowedRoots: roots)
    all = discovery.cases.map { location in
      var boundary = location.boundary
      boundary?.remedy = Self.remedy
      return CaseLocation(name: location.name, path: location.path, boundary: boundary)
    }
    cases = all.filter { filter.matches($0.name) }
    errors = discovery.errors.map { $0.advising(Self.remedy) }
    otherFiles = discovery.strangers
  }

  func printErrors() {
    for error in errors { Terminal.printError(Style.printable("\(error)")) }
  }
}
