import ParityFixtures
import ParityReports
import TensorArchives

/// The cases and other files under the paths that a user names on the command line.
///
/// Links and manifests must not lead out of these paths. An error about one that does names
/// the option that allows it: a library's errors can't, since its users have no options.
struct FoundCases {
  /// All cases.
  let all: [CaseLocation]
  /// The cases whose names match the filter.
  let cases: [CaseLocation]
  /// Why some paths can't be looked into.
  let errors: [ArchiveError]
  /// The paths of files that are no cases, and not known to be something else either.
  let otherFiles: [String]

  private static let remedy = "--allow-root permits its folder"

  /// - Parameters:
  ///   - roots: folders that links and manifests may lead into, beside the paths.
  ///   - filter: a regular expression; nil for all names.
  /// - Throws: `ValidationError` where `filter` is none.
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
    otherFiles = discovery.otherFiles
  }

  /// Prints the errors, one on each line.
  func printErrors() {
    for error in errors { Terminal.printError(Style.printable("\(error)")) }
  }
}
