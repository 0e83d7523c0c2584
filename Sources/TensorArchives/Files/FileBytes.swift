package import Platform
import SystemPackage

/// Reads whole files, and lists folders. What goes wrong is said in the system's words.
package enum FileBytes {
  /// What a path can lead to.
  package enum Kind: Sendable {
    case file
    case folder
  }

  /// Whether a file or a folder is at `path`, once symbolic links are followed.
  ///
  /// - Throws: `ArchiveError` where nothing is at `path`, and for what is neither: a pipe
  ///   or a device might never end.
  package static func kind(of path: String) throws(ArchiveError) -> Kind {
    let status: Stat
    do {
      status = try Stat(path)
    } catch {
      let isMissing = error == .noSuchFileOrDirectory
      throw ArchiveError(
        path: path, .unreadable(isMissing ? "no such file or folder" : systemWords(for: error)))
    }
    switch status.type {
    case .regular: return .file
    case .directory: return .folder
    default: throw ArchiveError(path: path, .unreadable("neither a file nor a folder"))
    }
  }

  /// The bytes of a file. A large file is mapped into memory, so that only the parts that are
  /// used are read.
  ///
  /// A file that is cut off while it is mapped ends the process with SIGBUS: files must
  /// not be written while they are read here.
  ///
  /// - Throws: `ArchiveError` where the file can't be read, and for the pointer that Git
  ///   LFS leaves in place of a file that was not fetched.
  /// - Complexity: O(1) for a file of 64 KiB or more, O(bytes) for a smaller one.
  package static func read(_ path: String) throws(ArchiveError) -> Data {
    guard try kind(of: path) == .file else {
      throw ArchiveError(path: path, .wrongFormat(expected: "a file", found: "a folder"))
    }
    let bytes = try ArchiveError.reading(path) { try contents(of: path) }
    guard !bytes.starts(with: gitLFSPointer) else {
      throw ArchiveError(
        path: path,
        .wrongFormat(expected: "the file itself", found: "a Git LFS pointer; run git lfs pull"))
    }
    return bytes
  }

  /// The size in bytes from which on a file is mapped; below it, a copy costs less.
  /// (Foundation's `.mappedIfSafe` maps nothing on Linux.)
  private static let smallestMapping = 64 << 10

  /// As many bytes as the file says that it has. Those that the system makes up (under
  /// `/proc`) say 0, and some of these never end.
  private static func contents(of path: String) throws -> Data {
    let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
    defer { try? file.close() }
    let size = Int(try Stat(file).size)
    guard size < smallestMapping else { return try file.mapping(size) }
    var bytes = Data(count: size)
    let count = try bytes.withUnsafeMutableBytes { try file.fill($0, from: 0) }
    return bytes.prefix(count)
  }

  /// Zeros that take no memory while nobody writes to them, however many; nil where the system
  /// refuses.
  package static func zeros(_ count: Int) -> Data? {
    let address = mmap(nil, count, PROT_READ, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0)
    guard let address, address != MAP_FAILED else { return nil }
    return Data(bytesNoCopy: address, count: count, deallocator: .custom { _ = munmap($0, $1) })
  }

  /// How every pointer starts, by the specification of Git LFS.
  private static let gitLFSPointer = Array("version https://git-lfs.github.com/spec/".utf8)

  /// The names of the files and folders in a folder, sorted by their Unicode scalars.
  /// Hidden ones, which start with a dot, are left out.
  ///
  /// - Throws: `ArchiveError` where the folder can't be listed.
  package static func names(in folder: String) throws(ArchiveError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { !$0.hasPrefix(".") }.sorted()
    } catch {
      throw ArchiveError(path: folder, .unreadable("can't be listed (\(systemWords(for: error)))"))
    }
  }
}
