import Platform
package import TensorCore

extension TensorContainer {
  /// Writes tensors into one file or folder, in the format that its ending names:
  /// `.npy` and `.npy.gz` for one tensor, `.npz`, `.h5` and `.hdf5` for many, and without
  /// an ending a folder with an `.npy` file for each.
  ///
  /// `open` finds the tensors again by the same names, but for the one of an `.npy` file,
  /// which has none. The file is made under a hidden name beside its own and takes its
  /// own when it is whole, so that nobody ever reads half of it. The same tensors give
  /// the same bytes in every run.
  ///
  /// - Parameters:
  ///   - manifest: its text; nil for none.
  ///   - deflating: whether the members of an `.npz` are deflated, or stored as they are.
  /// - Throws: `ArchiveError` where nothing can be written at `path`, its ending is of no
  ///   known format, a name leads out of the folder, or the format can't hold what it is
  ///   given: bfloat16 stands in HDF5 alone, and an `.npy` file holds one tensor and no
  ///   manifest.
  /// - Complexity: O(bytes written) in time; beside the tensors, only what is deflated is
  ///   held in memory.
  package static func write(
    _ tensors: [String: Tensor], manifest: String? = nil, to path: String,
    deflating: Bool = false
  ) throws(ArchiveError) {
    guard let container = TensorContainer(path: path) else {
      return try writeFolder(tensors, manifest: manifest, to: path)
    }
    guard container.holdsNames else {
      return try writeSingle(
        tensors, manifest: manifest, to: path, packing: container == .compressedNPY)
    }
    for name in tensors.keys.sorted() { try TensorName.check(name, path: path) }
    guard container == .hdf5 else {
      return try writeZIP(tensors, manifest: manifest, to: path, deflating: deflating)
    }
    #if HDF5
      try HDF5Writer.write(tensors, manifest: manifest, to: path)
    #else
      throw withoutHDF5(path)
    #endif
  }

  private static func writeFolder(
    _ tensors: [String: Tensor], manifest: String?, to path: String
  ) throws(ArchiveError) {
    let name = path.split(separator: "/").last ?? ""
    guard !name.dropFirst().contains(".") || (try? FileBytes.kind(of: path)) == .folder else {
      throw unknownEnding(path)
    }
    for name in tensors.keys.sorted() { try TensorName.check(name, path: path) }
    var folder = path
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    try FolderWriter.write(tensors, manifest: manifest, to: folder)
  }

  private static func writeSingle(
    _ tensors: [String: Tensor], manifest: String?, to path: String, packing: Bool
  ) throws(ArchiveError) {
    guard manifest == nil, tensors.count == 1, let tensor = tensors.values.first else {
      throw ArchiveError(
        path: path,
        .unsupported(
          "contents", expected: "one tensor and no manifest",
          found: "\(tensors.count) of them" + (manifest == nil ? "" : " and a manifest")))
    }
    var contents = try NPY.contents(of: tensor, path: path, member: nil)
    if packing {
      guard let packed = Deflate.pack(contents, as: .gzip) else {
        throw ArchiveError(path: path, .unwritable("no memory for zlib"))
      }
      contents = MemberContents(packed)
    }
    var file = try FileWriter(path: path)
    try contents.forEachPiece { bytes throws(ArchiveError) in try file.write(bytes) }
    try file.commit()
  }

  private static func writeZIP(
    _ tensors: [String: Tensor], manifest: String?, to path: String, deflating: Bool
  ) throws(ArchiveError) {
    var file = try ZIPWriter(path: path)
    if let manifest {
      try file.add(
        MemberContents(Data(manifest.utf8)), named: manifestName, deflating: deflating)
    }
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      let contents = try NPY.contents(of: tensor, path: path, member: name)
      try file.add(contents, named: name + ".npy", deflating: deflating)
    }
    try file.finish()
  }
}
