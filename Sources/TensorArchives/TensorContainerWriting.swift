import Platform
package import TensorCore

extension TensorContainer {
  /// Writes tensors into one file or folder, in the format that its ending names: `.npy` for
  /// one tensor, `.npz`, `.h5`, `.hdf5` and `.safetensors` for many, and without an ending a
  /// folder with an `.npy` file for each. Nothing is compressed.
  ///
  /// `open` finds the tensors again by the same names, except for the one of an `.npy` file,
  /// which has no name. The file is written under a hidden name in the same folder and renamed
  /// when it is complete, so that half of it can never be read. The same tensors give the same
  /// bytes in every run.
  ///
  /// - Parameter manifest: its text; nil for none.
  /// - Throws: `ArchiveError` where nothing can be written at `path`, its ending is of no
  ///   format that is written, a name leads out of the folder, or the format can't hold what
  ///   it is given: NumPy's formats have no bfloat16, and an `.npy` file holds one tensor and
  ///   no manifest.
  /// - Complexity: O(bytes written) in time; the tensors are not copied.
  package static func write(
    _ tensors: [String: Tensor], manifest: String? = nil, to path: String
  ) throws(ArchiveError) {
    let container = TensorContainer(path: path)
    if container?.holdsNames ?? true { try TensorName.check(tensors.keys, path: path) }
    switch container {
    case .npy: try writeSingle(tensors, manifest: manifest, to: path)
    case .compressedNPY, .raw:
      throw ArchiveError(
        path: path,
        .unsupported("file to write", expected: ".npy", found: container?.extensions[0] ?? ""))
    case .torch, .gguf, .onnx, .keras:
      throw ArchiveError(
        path: path,
        .unsupported(
          "file to write", expected: ".npz, .h5 or .safetensors",
          found: "a format that is only read"))
    case .npz: try writeZIP(tensors, manifest: manifest, to: path)
    case .hdf5:
      #if HDF5
        try HDF5Writer.write(tensors, manifest: manifest, to: path)
      #else
        throw withoutHDF5(path)
      #endif
    case .safetensors: try SafetensorsWriter.write(tensors, manifest: manifest, to: path)
    case nil:
      let hasEnding = lastComponent(of: path).dropFirst().contains(".")
      guard !hasEnding || (try? FileBytes.kind(of: path)) == .folder else {
        throw unknownEnding(path)
      }
      try FolderWriter.write(tensors, manifest: manifest, to: withoutEndingSlashes(path))
    }
  }

  private static func writeSingle(
    _ tensors: [String: Tensor], manifest: String?, to path: String
  ) throws(ArchiveError) {
    guard manifest == nil, tensors.count == 1, let tensor = tensors.values.first else {
      throw ArchiveError(
        path: path,
        .unsupported(
          "contents", expected: "one tensor and no manifest",
          found: "\(tensors.count) of them" + (manifest == nil ? "" : " and a manifest")))
    }
    try FileWriter.write(NPY.contents(of: tensor, path: path, member: nil), to: path)
  }

  private static func writeZIP(
    _ tensors: [String: Tensor], manifest: String?, to path: String
  ) throws(ArchiveError) {
    var file = try ZIPWriter(path: path)
    if let manifest { try file.add(MemberContents(Data(manifest.utf8)), named: manifestName) }
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      try file.add(NPY.contents(of: tensor, path: path, member: name), named: name + ".npy")
    }
    try file.finish()
  }
}
