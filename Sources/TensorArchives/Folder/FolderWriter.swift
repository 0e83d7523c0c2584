import Platform
import TensorCore

/// Writes a folder of `.npy` files, with the manifest as `manifest.json`.
enum FolderWriter {
  /// Writes all tensors, and the manifest where there is one.
  ///
  /// A new folder takes its name when it is whole. Into one that is there already, file
  /// after file is written; it must hold no other tensors, or it would hold more than was
  /// asked for.
  ///
  /// - Throws: `ArchiveError` where it holds other tensors, or can't be written.
  static func write(
    _ tensors: [String: Tensor], manifest: String?, to path: String
  ) throws(ArchiveError) {
    var files: [String: MemberContents] = [:]
    for (name, tensor) in tensors {
      files[name + ".npy"] = try NPY.contents(of: tensor, path: path, member: name)
    }
    if let manifest { files[manifestName] = MemberContents(Data(manifest.utf8)) }
    guard (try? FileBytes.kind(of: path)) == nil else {
      try checkOtherTensors(in: path, beside: files)
      return try write(files, into: path, for: path)
    }
    let sibling = TemporarySibling(of: path)
    try makeFolder(sibling.temporaryPath, for: path)
    try write(files, into: sibling.temporaryPath, for: path)
    try sibling.commit()
  }

  /// - Parameters:
  ///   - files: by their paths below the folder.
  ///   - asked: the folder that was asked for, for errors.
  private static func write(
    _ files: [String: MemberContents], into folder: String, for asked: String
  ) throws(ArchiveError) {
    for (name, contents) in files.sorted(by: { $0.key < $1.key }) {
      let path = folder + "/" + name
      do throws(ArchiveError) {
        try makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]), for: path)
        try FileWriter.write(contents, to: path)
      } catch {
        throw ArchiveError(path: asked + "/" + name, error.reason)
      }
    }
  }

  /// Refuses a folder with tensors, or a manifest, that are none of `files`.
  private static func checkOtherTensors(
    in folder: String, beside files: [String: MemberContents]
  ) throws(ArchiveError) {
    var walk = FolderWalk(boundary: nil, excluding: [])
    try walk.visit(folder, prefix: "", depth: 0)
    for (file, prefix) in walk.files {
      let name = prefix + TensorContainer.lastComponent(of: file)
      if files[name] == nil, TensorContainer(path: file) != nil || name == manifestName {
        throw ArchiveError(
          path: folder, member: name,
          .unsupported("folder", expected: "no tensors beside those written", found: name))
      }
    }
  }

  /// - Parameter path: what is to be written into the folder, for errors.
  private static func makeFolder(_ folder: String, for path: String) throws(ArchiveError) {
    try ArchiveError.writing(path) {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
  }
}
