import TensorArchives
import TensorCore

/// A tensor, or all tensors of a file, as the command line names them: `FILE:NAME` or `FILE`.
struct TensorReference {
  let path: String
  /// The name of the tensor, or of a module; nil where none is given.
  let name: String?
  /// The shape of raw numbers; nil where none is given.
  let shape: Shape?

  init(_ text: String, shape: Shape? = nil) {
    let (path, name) = Self.split(text)
    self.path = path
    self.shape = shape
    // Users of h5py write the root's slash before the name.
    self.name = name.map { String($0.drop { $0 == "/" }) }
  }

  /// The path, and the name behind the colon; nil where there is none.
  static func split(_ text: String) -> (path: String, name: String?) {
    // Where a file is called so, colon and all, it is what is meant.
    guard (try? FileBytes.kind(of: text)) == nil, let colon = text.lastIndex(of: ":"),
      (try? FileBytes.kind(of: String(text[..<colon]))) != nil
    else { return (text, nil) }
    return (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }

  /// Reads one tensor.
  ///
  /// - Parameter role: the name to look for where none is given and the file holds several
  ///   tensors: by itself, or under `outputs/` or `inputs/`.
  /// - Throws: `ArchiveError` where there is none of this name, or it can't be read.
  func read(role: String) throws(ArchiveError) -> Tensor {
    let archive = try TensorContainer.open(path, shape: shape)
    let names = archive.tensorNames
    let candidates = names.count == 1 ? names : [role, "outputs/" + role, "inputs/" + role]
    guard let found = name ?? candidates.first(where: names.contains) else {
      throw ArchiveError(path: path, member: role, .noSuchMember(available: names))
    }
    return try archive.tensor(named: found)
  }
}
