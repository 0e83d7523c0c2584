import Platform

/// This checkout, as the tests see it.
package enum Repository {
  /// Without a `/` at its end.
  package static let root: String = {
    // …/Tests/TestSupport/Repository.swift
    #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
  }()

  package static let fixtures = root + "/Fixtures"

  /// The names of the catalogue's cases, as Fixtures/README.md lists them. What else stands there
  /// is somebody's own, and no test minds it.
  package static let catalogue: Set<String> = {
    let list = (try? String(contentsOfFile: fixtures + "/README.md", encoding: .utf8)) ?? ""
    return Set(
      list.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst()
        .compactMap { $0.split(separator: "|").first.map { $0.filter { $0 != " " } } })
  }()

  package static let samples = root + "/Tests/TensorArchivesTests/Samples"
}

/// A folder that is gone when the last reference to it is.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init() throws {
    let url = FileManager.default.temporaryDirectory.appending(
      path: "parity-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file below the folder, with all folders on its way.
  @discardableResult
  package func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
    let file = path + "/" + name
    let folder = file[..<(file.lastIndex(of: "/") ?? file.endIndex)]
    try FileManager.default.createDirectory(
      atPath: String(folder), withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(filePath: file))
    return file
  }

  @discardableResult
  package func write(_ text: String, to name: String) throws -> String {
    try write(text.utf8, to: name)
  }

  package func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: path + "/" + name, withDestinationPath: target)
  }

  /// Copies a file or folder into the folder.
  @discardableResult
  package func copy(_ source: String, as name: String) throws -> String {
    try FileManager.default.copyItem(atPath: source, toPath: path + "/" + name)
    return path + "/" + name
  }
}

package func bytes(of path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(filePath: path)))
}
