#if canImport(FoundationEssentials)
  package import FoundationEssentials
#else
  package import Foundation
#endif

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Whole files and folders, with errors in the system's words.
package enum FileBytes {
  package enum Kind: Sendable {
    case file
    case folder
  }

  /// What stands at `path`, symbolic links followed.
  ///
  /// - Throws: `ArchiveError` for a path where nothing is, and for what is
  ///   neither a file nor a folder (a pipe or a device might never end).
  package static func kind(of path: String) throws(ArchiveError) -> Kind {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw ArchiveError(
        path: path, .unreadable(errno == ENOENT ? "no such file or folder" : words(of: errno)))
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .folder
    default: throw ArchiveError(path: path, .unreadable("neither a file nor a folder"))
    }
  }

  /// The bytes of a file: mapped, so that what nobody looks at is never read,
  /// or, of a small one, read.
  ///
  /// - Throws: `ArchiveError` where it can't be read, and for the pointer that
  ///   Git LFS leaves in place of a file that was not fetched.
  package static func read(_ path: String) throws(ArchiveError) -> Data {
    guard try kind(of: path) == .file else {
      throw ArchiveError(path: path, .wrongFormat(expected: "a file", found: "a folder"))
    }
    guard let bytes = FileMapping.bytes(of: path) else {
      throw ArchiveError(path: path, .unreadable("can't be read (\(words(of: errno)))"))
    }
    guard !bytes.starts(with: gitLFSPointer) else {
      throw ArchiveError(
        path: path,
        .wrongFormat(expected: "the file itself", found: "a Git LFS pointer; run git lfs pull"))
    }
    return bytes
  }

  /// How every pointer file starts (the Git LFS specification).
  private static let gitLFSPointer = Array("version https://git-lfs.github.com/spec/".utf8)

  /// The names in a folder, sorted by their Unicode scalars, hidden ones left out.
  package static func names(in folder: String) throws(ArchiveError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { !$0.hasPrefix(".") }.sorted()
    } catch {
      throw ArchiveError(path: folder, .unreadable("can't be listed (\(words(of: errno)))"))
    }
  }

  static func words(of code: CInt) -> String {
    let text = String(cString: strerror(code))
    return text.prefix(1).lowercased() + text.dropFirst()
  }
}
