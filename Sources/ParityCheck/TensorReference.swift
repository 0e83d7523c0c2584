import ArchiveComparison
import TensorArchives
import TensorCore

/// A tensor as the command line names it: `FILE` or `FILE:NAME`.
struct TensorReference {
  private let path: String
  private let name: String?

  init(_ text: String) {
    // A path with a colon is a path first.
    if (try? FileBytes.kind(of: text)) == nil, let colon = text.lastIndex(of: ":"),
      (try? FileBytes.kind(of: String(text[..<colon]))) != nil
    {
      path = String(text[..<colon])
      // h5py users write the root's slash.
      name = String(text[text.index(after: colon)...].drop { $0 == "/" })
    } else {
      path = text
      name = nil
    }
  }

  /// All tensors of the archive, or the one that is named.
  func tensors() throws(ArchiveError) -> NamedTensors {
    try NamedTensors(try TensorContainer.open(path, namingFiles: true), only: name)
  }

  /// - Parameter role: the name to look for where none is given and the file
  ///   holds several tensors, alone, or under `outputs/` or `inputs/`.
  func read(role: String) throws(ArchiveError) -> Tensor {
    let archive = try TensorContainer.open(path)
    let names = archive.tensorNames
    if let name { return try archive.tensor(named: name) }
    if names.count == 1 { return try archive.tensor(named: names[0]) }
    let candidates = [role, "outputs/" + role, "inputs/" + role]
    if let found = candidates.first(where: names.contains) {
      return try archive.tensor(named: found)
    }
    throw ArchiveError(path: path, member: role, .noSuchMember(available: names))
  }
}
