import Platform
import SystemPackage

/// Starting a process that reads from a descriptor of this one.
enum ProcessStart {
  /// - Parameters:
  ///   - arguments: all, with the program's name first.
  ///   - standardInput: what the process has as its standard input. It inherits the standard
  ///     output and error, and nothing else that is closed on execution.
  /// - Returns: the number of the process, for which somebody must wait.
  /// - Throws: `Errno` where the system refuses.
  static func start(
    _ program: String, arguments: [String], standardInput: FileDescriptor
  ) throws(Errno) -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, standardInput.rawValue, 0)
    let environment = ProcessInfo.processInfo.environment
    let words = arguments.map { strdup($0) } + [nil]
    // A crash is reported in one line, without a stack trace.
    let variables =
      environment.filter { $0.key != "SWIFT_BACKTRACE" }.map { strdup($0 + "=" + $1) }
      + [strdup("SWIFT_BACKTRACE=enable=no"), nil]
    defer { (words + variables).forEach { free($0) } }
    var process: pid_t = 0
    let error = posix_spawn(&process, program, &actions, nil, words, variables)
    guard error == 0 else { throw Errno(rawValue: error) }
    return process
  }
}
