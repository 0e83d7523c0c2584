package import TensorCore

/// The formats of files that hold tensors, told apart by the endings of their names.
///
/// This is where the module is entered, to read and to write:
///
/// ```swift
/// let archive = try TensorContainer.open("gru.npz")  // or a .npy, an .h5, a folder
/// let output = try archive.tensor(named: "outputs/output")
/// try TensorContainer.write(["outputs/output": output], to: "copy.h5")
/// ```
///
/// A folder is no container by itself, and has no ending: it holds files of any of these.
package enum TensorContainer: CaseIterable, Sendable {
  /// One tensor without a name, as `numpy.save` writes it.
  case npy
  /// The same, packed by gzip.
  case compressedNPY
  /// One tensor's elements and nothing else.
  case raw
  /// Named tensors in a ZIP file, as `numpy.savez` and `savez_compressed` write them.
  case npz
  case hdf5
  /// Named tensors in Hugging Face's format safetensors.
  case safetensors
  /// Whatever `torch.save` has written: a state dict, a checkpoint, a whole module.
  case torch
  /// The weights of a model for llama.cpp.
  case gguf
  /// A model with its weights.
  case onnx
  /// A model of Keras 3.
  case keras

  /// The endings of the names of such files, with their dots.
  package var extensions: [String] {
    switch self {
    case .npy: [".npy"]
    case .compressedNPY: [".npy.gz"]
    case .raw: RawFile.endings.map(\.ending)
    case .npz: [".npz"]
    case .hdf5: [".h5", ".hdf5"]
    case .safetensors: [".safetensors"]
    case .torch: [".pt", ".pth", ".ckpt", ".jit", ".bin"]
    case .gguf: [".gguf"]
    case .onnx: [".onnx"]
    case .keras: [".keras"]
    }
  }

  /// Whether a file of this format holds tensors by their names, and so can be a whole
  /// case.
  package var holdsNames: Bool {
    switch self {
    case .npy, .compressedNPY, .raw: false
    case .npz, .hdf5, .safetensors, .torch, .gguf, .onnx, .keras: true
    }
  }

  /// The format that the ending of a file's name promises, in capital or small letters;
  /// nil for any other ending, and for a name that is nothing but an ending.
  package init?(path: String) {
    guard let match = Self.match(path) else { return nil }
    self = match.container
  }

  /// The format of a file that was found in a folder, and that nobody named: nil too where the
  /// ending is `.bin`, which many programs give to anything, and the file is none of
  /// `torch.save` nor has a description of raw numbers beside it.
  package static func found(at path: String) -> TensorContainer? {
    let container = named(path)
    guard container == .torch, isBin(path), let bytes = try? FileBytes.read(path) else {
      return container
    }
    return TorchFile.isStart(bytes) ? container : nil
  }

  /// Whether a file is no more than the JSON that describes a file of raw numbers beside it.
  package static func isDescription(_ path: String) -> Bool { RawDescription.isOne(path) }

  /// The format of a file that somebody named. A file that ends in `.bin` holds raw numbers where
  /// their description stands beside it, and it is none of `torch.save`.
  private static func named(_ path: String) -> TensorContainer? {
    isRawBin(path) && RawDescription.path(for: path) != nil ? .raw : TensorContainer(path: path)
  }

  /// Whether a file ends in `.bin` and is none of `torch.save`.
  private static func isRawBin(_ path: String) -> Bool {
    guard isBin(path), let bytes = try? FileBytes.read(path) else { return false }
    return !TorchFile.isStart(bytes)
  }

  private static func isBin(_ path: String) -> Bool { match(path)?.ending == ".bin" }

  /// The name of a file without the folders before it and without its format's ending:
  /// `gru` for `Fixtures/gru.npz`.
  package static func stem(of path: String) -> String {
    String(lastComponent(of: path).dropLast(match(path)?.ending.count ?? 0))
  }

  /// The name of a file or folder without the folders before it; a path without any name,
  /// such as `/`, as it is.
  package static func lastComponent(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// A folder's path without the slashes behind its name.
  package static func withoutEndingSlashes(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  private static func match(_ path: String) -> (container: TensorContainer, ending: String)? {
    let name = lastComponent(of: path).lowercased()
    for container in allCases {
      for ending in container.extensions where name.hasSuffix(ending) && name != ending {
        return (container, ending)
      }
    }
    return nil
  }

  /// Opens the file or folder at `path`, whatever its format. The elements of its tensors
  /// are not read yet.
  ///
  /// - Parameters:
  ///   - boundary: the folders that a folder's files must lie in; nil for anywhere.
  ///   - namingFiles: whether the names of the tensors that a folder's files hold start
  ///     with the file's, as `PendingArchive.archive` explains.
  /// - Throws: `ArchiveError` where nothing is at `path`, its ending is of no known
  ///   format, or it is not what its ending promises.
  package static func open(
    _ path: String, within boundary: FileBoundary? = nil, namingFiles: Bool = false
  ) throws(ArchiveError) -> any TensorArchive {
    try PendingArchive(path, within: boundary).archive(namingFiles: namingFiles)
  }

  /// Opens a file, which is no folder.
  static func openFile(_ path: String) throws(ArchiveError) -> any TensorArchive {
    switch named(path) {
    case .npy: return try NPYFile(path: path, isCompressed: false)
    case .compressedNPY: return try NPYFile(path: path, isCompressed: true)
    case .raw: return try RawFile(path: path)
    case .npz: return try NPZArchive(path: path)
    case .hdf5:
      #if HDF5
        return try HDF5Archive(path: path)
      #else
        throw withoutHDF5(path)
      #endif
    case .safetensors: return try SafetensorsArchive(path: path)
    case .torch: return try TorchArchive(path: path)
    case .gguf: return try GGUFArchive(path: path)
    case .onnx: return try ONNXArchive(path: path)
    case .keras:
      #if HDF5
        return try KerasArchive(path: path)
      #else
        throw withoutHDF5(path)
      #endif
    case nil: throw unknownEnding(path)
    }
  }

  /// Opens a file of raw numbers, which has no description beside it, or another one; any other
  /// file as `open` does.
  ///
  /// - Throws: `ArchiveError` as `open`, and where the file has not as many numbers.
  package static func open(
    _ path: String, shape: Shape?, namingFiles: Bool = false
  ) throws(ArchiveError) -> any TensorArchive {
    if let shape, named(path) == .raw || isRawBin(path) {
      return try RawFile(path: path, shape: shape)
    }
    return try open(path, namingFiles: namingFiles)
  }

  static func unknownEnding(_ path: String) -> ArchiveError {
    let known = allCases.flatMap(\.extensions).joined(separator: ", ")
    return ArchiveError(
      path: path,
      .wrongFormat(expected: "a folder or a file ending in \(known)", found: "another name"))
  }

  static func withoutHDF5(_ path: String) -> ArchiveError {
    ArchiveError(
      path: path,
      .unsupported(
        "HDF5", expected: "a build with the package trait HDF5", found: "one without it"))
  }
}
