import Foundation
import TestSupport

/// A run of `--engine-server` with a program for the shell.
struct ServerTool {
  let tool: Tool
  /// The numbers of the processes that were started, one after the other.
  let started: [pid_t]

  /// - Parameters:
  ///   - script: what is done for each case, with the case's path as `$1` and the output's as `$2`.
  ///     "done" is answered behind it.
  ///   - filter: which cases of the repository it is run on.
  ///   - end: what the program does at the end of its input.
  ///   - jobs: for `--jobs`.
  init(
    _ script: String, on filter: String, atTheEnd end: String = "", jobs: Int = 1,
    _ more: [String] = []
  ) throws {
    let folder = try TemporaryFolder()
    let path = { (key: String) in
      "\"$(printf %s \"$line\" | sed 's/.*\"\(key)\":\"\\([^\"]*\\)\".*/\\1/')\""
    }
    let program = """
      echo $$ >> '\(folder.path)/started'
      while read -r line; do
        set -- \(path("case")) \(path("out"))
        \(script)
        echo '{"status": "done"}'
      done
      \(end)
      """
    try folder.write(Array(program.utf8), to: "server.sh")
    tool = try Tool(
      [
        "Fixtures", "--filter", "^\(filter)$", "--jobs", "\(jobs)", "--engine-server",
        "sh '\(folder.path)/server.sh'",
      ] + more)
    let numbers = try? bytes(of: folder.path + "/started")
    started = String(decoding: numbers ?? [], as: UTF8.self).split(separator: "\n")
      .compactMap { pid_t($0) }
  }

  /// Whether any of the processes is still there.
  var isAnythingLeft: Bool { started.contains { kill($0, 0) == 0 } }
}
