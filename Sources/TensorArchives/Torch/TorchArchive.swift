import Platform
import TensorCore

/// A file of `torch.save` or `torch.jit.save` as an archive. Nothing in it is ever run.
///
/// It is a fixture where it is a dictionary with the text `manifest`, beside the dictionaries
/// `state_dict`, `inputs` and `outputs`; the names of the tensors in these start with
/// `state_dict/` and so on. In all other files `.` stands between the keys.
struct TorchArchive: TableArchive {
  let path: String
  let tensorNames: [String]
  let table: TensorTable
  private let manifestText: String?

  /// - Throws: `ArchiveError` where it is no such file, is damaged, or holds a tensor that
  ///   reaches beyond its storage.
  init(path: String) throws(ArchiveError) {
    self.path = path
    let bytes = try FileBytes.read(path)
    let file: TorchFile
    if bytes.starts(with: TorchFile.zipStart) {
      file = try TorchFile(zip: bytes, path: path)
    } else {
      file = try ArchiveError.locating(path) { () throws(ArchiveError.Reason) in
        try TorchFile(stream: bytes)
      }
    }
    let pickle = file.pickle
    let text: String? =
      if case .string(let text)? = pickle.value("manifest", in: pickle.root) { text } else { nil }
    manifestText = text
    var walk = TorchWalk(pickle)
    do {
      if text != nil {
        for item in pickle.items(pickle.root) ?? [] {
          guard case .string(let key) = item.key else { continue }
          try walk.visit(item.value, name: Self.groups.contains(key) ? key + "/" : key)
        }
      } else {
        try walk.visit(pickle.root, name: "")
      }
    } catch {
      let name = TensorName.short(error.name)
      throw ArchiveError(path: path, member: name.isEmpty ? file.member : name, error.reason)
    }
    table = try Self.table(walk.found, file, path: path, fileSize: bytes.count)
    tensorNames = table.entries.keys.sorted()
  }

  func manifest() throws(ArchiveError) -> String? {
    guard let manifestText else { return nil }
    try checkManifestSize(manifestText.utf8.count, path: path, member: "manifest")
    return manifestText
  }

  /// The dictionaries of a fixture.
  private static let groups: Set<String> = ["state_dict", "inputs", "outputs"]

  private static func table(
    _ found: [TorchWalk.Found], _ file: TorchFile, path: String, fileSize: Int
  ) throws(ArchiveError) -> TensorTable {
    var table = TensorTable(fileSize: fileSize)
    for tensor in found {
      try ArchiveError.locating(path, member: TensorName.short(tensor.name)) {
        () throws(ArchiveError.Reason) in
        try table.add(tensor.name, try entry(tensor, file))
      }
    }
    return table
  }

  /// A tensor of a kind or type that is not read stands in the table with the reason.
  ///
  /// - Throws: `ArchiveError.Reason` where the file is damaged.
  private static func entry(
    _ tensor: TorchWalk.Found, _ file: TorchFile
  ) throws(ArchiveError.Reason) -> Result<TableEntry, ArchiveError.Reason> {
    do throws(ArchiveError.Reason) {
      guard TorchTensor.functions.contains(tensor.function) else {
        throw .unsupported(
          "tensor", expected: "a dense one of \(TorchTensor.readTypes)",
          found: "one that \(TensorName.short(tensor.function)) makes")
      }
      return .success(try TorchTensor.entry(tensor.arguments, in: file))
    } catch {
      if case .unsupported = error { return .failure(error) }
      throw error
    }
  }
}
