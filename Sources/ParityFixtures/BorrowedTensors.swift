import RecurrentModel
import TensorArchives
import TensorCore

/// A group of a case's tensors that stands in another file, so that a trained
/// checkpoint is tested as it is:
/// `"tensors": {"state_dict": {"file": "model.npz", "prefix": "encoder.lstm."}}`.
package struct BorrowedTensors: Sendable, Equatable {
  /// Relative to the case's folder.
  package let file: String
  /// What the names of the group's tensors start with in that file; others there
  /// are not the case's.
  package let prefix: String

  private static let groups = ["state_dict", "inputs", "outputs"]

  /// Where the file stands, for the case in `folder`.
  func path(from folder: String) -> String {
    file.hasPrefix("/") ? file : folder + "/" + file
  }
}

extension BorrowedTensors {
  static func all(
    in manifest: ManifestObject
  ) throws(InvalidValue) -> [String: BorrowedTensors] {
    guard let object = try manifest.object("tensors", known: groups) else { return [:] }
    var all: [String: BorrowedTensors] = [:]
    for group in groups {
      guard let values = try object.object(group, known: ["file", "prefix"]) else { continue }
      let file = try values.required("file", try values.string("file"), "a path")
      guard !file.isEmpty else {
        throw InvalidValue(values.name(of: "file"), expected: "a path", found: "an empty one")
      }
      all[group] = BorrowedTensors(file: file, prefix: try values.string("prefix") ?? "")
    }
    return all
  }

  /// The tensors by the names that they have in the case.
  func read(
    group: String, from folder: String, within boundary: FileBoundary?
  ) throws(ArchiveError) -> [String: Tensor] {
    let path = path(from: folder)
    try boundary?.check(path)
    let archive = try TensorContainer.open(path, within: boundary)
    let names = archive.tensorNames.filter { $0.hasPrefix(prefix) && $0 != prefix }
    guard !names.isEmpty else {
      throw ArchiveError(
        path: path, member: prefix + "*", .noSuchMember(available: archive.tensorNames))
    }
    var tensors: [String: Tensor] = [:]
    for name in names {
      tensors["\(group)/\(name.dropFirst(prefix.count))"] = try archive.tensor(named: name)
    }
    return tensors
  }
}
