package import TensorCore

/// A file, or a folder of files, that holds named tensors and perhaps a manifest.
package protocol TensorArchive: Sendable {
  /// The path as the user gave it.
  var path: String { get }

  /// The names of all tensors, sorted, with `/` between a group and its member.
  var tensorNames: [String] { get }

  /// The text of the manifest that the archive carries; nil where it has none.
  func manifest() throws(ArchiveError) -> String?

  /// Reads one tensor. O(its bytes).
  func tensor(named name: String) throws(ArchiveError) -> Tensor
}

extension TensorArchive {
  func requireMember(_ name: String) throws(ArchiveError) {
    guard tensorNames.contains(name) else {
      throw ArchiveError(path: path, member: name, .noSuchMember(available: tensorNames))
    }
  }
}

/// The containers, by the names of their files.
package enum TensorContainer: CaseIterable, Sendable {
  case npy
  case npz
  case hdf5

  package var extensions: [String] {
    switch self {
    case .npy: ["npy"]
    case .npz: ["npz"]
    case .hdf5: ["h5", "hdf5"]
    }
  }

  /// Whether one file of this kind holds tensors by name, and so can be a case.
  package var holdsNames: Bool { self != .npy }

  /// The container that a file's name promises, in any case of letters.
  package init?(path: String) {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return nil }
    let ending = name[name.index(after: dot)...].lowercased()
    guard let match = Self.allCases.first(where: { $0.extensions.contains(ending) }) else {
      return nil
    }
    self = match
  }

  /// Opens the archive at `path`, whatever its kind. Its members are not read yet.
  ///
  /// - Throws: `ArchiveError` where nothing is there, its ending is unknown, or
  ///   it is not what its ending promises.
  package static func open(_ path: String) throws(ArchiveError) -> any TensorArchive {
    if try FileBytes.kind(of: path) == .folder { return try FolderArchive(path: path) }
    switch TensorContainer(path: path) {
    case .npy: return try NPYFile(path: path)
    case .npz: return try NPZArchive(path: path)
    case .hdf5:
      #if HDF5
        return try HDF5Archive(path: path)
      #else
        throw ArchiveError(
          path: path,
          .unsupported(
            "HDF5", expected: "a build with the package trait HDF5", found: "one without it"))
      #endif
    case nil:
      let known = allCases.flatMap(\.extensions).map { "." + $0 }.joined(separator: ", ")
      throw ArchiveError(
        path: path,
        .wrongFormat(expected: "a folder or a file ending in \(known)", found: "another name"))
    }
  }
}
