#if canImport(FoundationEssentials)
  package import FoundationEssentials
#else
  package import Foundation
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
    let manager = FileManager.default
    guard manager.fileExists(atPath: path) else {
      throw ArchiveError(path: path, .unreadable("no such file or folder"))
    }
    let resolved = URL(filePath: path).resolvingSymlinksInPath().path
    let type = (try? manager.attributesOfItem(atPath: resolved))?[.type] as? FileAttributeType
    switch type {
    case .typeRegular: return .file
    case .typeDirectory: return .folder
    default: throw ArchiveError(path: path, .unreadable("neither a file nor a folder"))
    }
  }

  /// The bytes of a file, mapped where that is safe.
  ///
  /// - Throws: `ArchiveError` where it can't be read, and for the pointer that
  ///   Git LFS leaves in place of a file that was not fetched.
  package static func read(_ path: String) throws(ArchiveError) -> Data {
    guard try kind(of: path) == .file else {
      throw ArchiveError(path: path, .wrongFormat(expected: "a file", found: "a folder"))
    }
    let bytes: Data
    do {
      bytes = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
    } catch {
      throw ArchiveError(path: path, .unreadable("can't be read (\(words(of: error)))"))
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
      throw ArchiveError(path: folder, .unreadable("can't be listed (\(words(of: error)))"))
    }
  }

  private static func words(of error: any Error) -> String {
    guard let error = error as? CocoaError else { return "\(error)" }
    return switch error.code {
    case .fileReadNoPermission: "permission denied"
    case .fileReadNoSuchFile: "no such file"
    default: "error \(error.code.rawValue)"
    }
  }
}
