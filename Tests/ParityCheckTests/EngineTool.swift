import TestSupport

/// How the tests run `--engine`, with a program for the shell.
extension Tool {
  /// - Parameters:
  ///   - script: with the case's path as `$1` and the output's as `$2`.
  ///   - filter: which cases of the repository it is run on.
  init(engine script: String, on filter: String, _ more: [String] = []) throws {
    let folder = try TemporaryFolder()
    try folder.write(Array(script.utf8), to: "engine.sh")
    try self.init(
      [
        "Fixtures", "--filter", "^\(filter)$", "--engine",
        "sh '\(folder.path)/engine.sh' {case} {out}",
      ] + more)
  }
}
