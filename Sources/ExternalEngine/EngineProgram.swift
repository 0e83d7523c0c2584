import Subprocess

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A user's program and its arguments, ready to be started in a process group of its own.
struct EngineProgram {
  /// A program without a `/` is looked for in `PATH`.
  let words: [String]

  var name: String { words[0] }

  var configuration: Configuration {
    var options = PlatformOptions()
    options.processGroupID = 0
    return Configuration(
      executable: name.contains("/") ? .path(FilePath(name)) : .name(name),
      arguments: Arguments(Array(words.dropFirst())), platformOptions: options)
  }

  /// An open file as `Subprocess` takes it, which is not swift-system's type on every platform.
  static func descriptor(_ number: CInt) -> FileDescriptor { FileDescriptor(rawValue: number) }

  /// Why a program was not started.
  static func reason(of error: any Error) -> String {
    guard let error = error as? SubprocessError else { return "\(error)" }
    if error.code == .executableNotFound { return "no such program, or not one to run" }
    return error.underlyingError.map { "\($0)" } ?? "\(error)"
  }
}
