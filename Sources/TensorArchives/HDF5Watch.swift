#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What this process tells the one that watches over it: when libhdf5 is at work,
/// and on which file. libhdf5 can crash, or loop, on a damaged file; the watching
/// process then starts this one again without that file.
///
/// Where nobody watches, it tells nothing.
package struct HDF5Watch: Sendable {
  /// The environment variables by which the watching process speaks to this one.
  package enum Key {
    /// The number of the pipe that events go to; anything else for none.
    package static let descriptor = "PARITY_CHECK_WATCH"
    /// The number of a file with the files that libhdf5 was lost on, each with the
    /// reason.
    package static let lost = "PARITY_CHECK_LOST"
    /// The seconds that libhdf5 is given, in place of the watching process's own
    /// reckoning; for tests.
    package static let seconds = "PARITY_CHECK_WATCH_SECONDS"
  }

  package enum Event: Sendable, Equatable {
    case entered(String)
    case left
  }

  package static let shared = HDF5Watch(ProcessInfo.processInfo.environment)

  /// Of the pipe; nil where nobody watches.
  package let descriptor: CInt?
  private let lost: [String: String]

  package init(_ environment: [String: String]) {
    descriptor = environment[Key.descriptor].flatMap { CInt($0) }
    let file = environment[Key.lost].flatMap { CInt($0) }
    lost = file.map { Self.decode(Self.contents(of: $0)) } ?? [:]
  }

  /// Runs `body`, which calls libhdf5 on the file at `path`.
  ///
  /// - Throws: `ArchiveError` for a file that libhdf5 was lost on before.
  func working<Result>(
    on path: String, _ body: () throws(ArchiveError) -> Result
  ) throws(ArchiveError) -> Result {
    if let reason = lost[path] { throw ArchiveError(path: path, .unreadable(reason)) }
    tell(Self.line(.entered(path)))
    defer { tell(Self.line(.left)) }
    return try body()
  }

  /// - Parameter line: with its end.
  package func tell(_ line: String) {
    guard let descriptor else { return }
    var bytes = Array(line.utf8)
    while !bytes.isEmpty {
      let written = write(descriptor, bytes, bytes.count)
      guard written > 0 else { return }
      bytes.removeFirst(written)
    }
  }

  private static func contents(of descriptor: CInt) -> String {
    var contents: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = pread(descriptor, &piece, piece.count, off_t(contents.count))
      guard count > 0 else { return String(decoding: contents, as: UTF8.self) }
      contents += piece[..<count]
    }
  }
}

extension HDF5Watch {
  static func line(_ event: Event) -> String {
    switch event {
    case .entered(let path): ">" + escaped(path) + "\n"
    case .left: "<\n"
    }
  }

  /// - Parameter line: without its end; nil for any other line.
  package static func event(_ line: String) -> Event? {
    switch line.first {
    case ">": .entered(unescaped(String(line.dropFirst())))
    case "<": .left
    default: nil
    }
  }

  package static func encode(_ lost: [String: String]) -> String {
    lost.map { escaped($0) + "\t" + escaped($1) }.joined(separator: "\n")
  }

  static func decode(_ text: String) -> [String: String] {
    let pairs = text.split(separator: "\n").map {
      $0.split(separator: "\t", maxSplits: 1).map { unescaped(String($0)) }
    }
    return Dictionary(
      pairs.filter { $0.count == 2 }.map { ($0[0], $0[1]) }, uniquingKeysWith: { $1 })
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\t", with: "\\t")
  }

  private static func unescaped(_ text: String) -> String {
    var (plain, isEscape) = ("", false)
    for character in text {
      if isEscape {
        plain.append(character == "n" ? "\n" : character == "t" ? "\t" : character)
        isEscape = false
      } else if character == "\\" {
        isEscape = true
      } else {
        plain.append(character)
      }
    }
    return plain
  }
}
