import RecurrentModel
import TensorArchives
import TensorCore

/// A group of a case's tensors that stands in a file outside of the case, so that a trained
/// checkpoint can be tested as it is. A manifest states it as
/// `"tensors": {"state_dict": {"file": "model.npz", "prefix": "encoder.lstm."}}`.
package struct BorrowedTensors: Sendable, Equatable {
  /// The path of the other file, relative to the case's folder unless it starts with `/`.
  package let file: String
  /// What the names of the group's tensors start with in that file. Its other tensors do not
  /// belong to the case.
  package let prefix: String

  /// How a manifest states that these are the parameters, for an error message.
  var advice: String {
    let start = prefix.isEmpty ? "" : ", \"prefix\": \"\(prefix)\""
    return "say \"tensors\": {\"state_dict\": {\"file\": \"\(file)\"\(start)}} in manifest.json"
  }

  /// The path of the other file for a case in `folder`.
  func path(from folder: String) -> String {
    file.hasPrefix("/") ? file : folder + "/" + file
  }
}

extension BorrowedTensors {
  /// All groups that the manifest takes from other files, by `state_dict`, `inputs` and
  /// `outputs`.
  ///
  /// - Throws: `InvalidValue`, naming the key, where `tensors` is not as described above.
  static func all(
    in manifest: ManifestObject
  ) throws(InvalidValue) -> [String: BorrowedTensors] {
    guard let object = try manifest.object("tensors", known: FixtureNames.groups) else {
      return [:]
    }
    var all: [String: BorrowedTensors] = [:]
    for group in FixtureNames.groups {
      guard let values = try object.object(group, known: ["file", "prefix"]) else { continue }
      let file = try values.required("file", try values.string("file"), "a path")
      guard !file.isEmpty else {
        throw InvalidValue(values.name(of: "file"), expected: "a path", found: "an empty one")
      }
      all[group] = BorrowedTensors(file: file, prefix: try values.string("prefix") ?? "")
    }
    return all
  }

  /// The tensors of the group, which stand in the other file.
  ///
  /// - Parameters:
  ///   - group: `state_dict`, `inputs` or `outputs`.
  ///   - folder: the case's.
  ///   - boundary: the folders that the other file must lie in; nil for anywhere.
  /// - Returns: the tensors under the names that they have in the case, `state_dict/weight_ih_l0`.
  /// - Throws: `ArchiveError` where the file can't be read, lies outside of the boundary, or
  ///   holds no tensor with the prefix.
  func members(
    group: String, from folder: String, within boundary: FileBoundary?
  ) throws(ArchiveError) -> [FixtureMember] {
    let path = path(from: folder)
    try boundary?.check(path)
    let archive = try TensorContainer.open(path, within: boundary)
    let names = archive.tensorNames.filter { $0.hasPrefix(prefix) && $0 != prefix }
    guard !names.isEmpty else {
      throw ArchiveError(
        path: path, member: prefix + "*", .noSuchMember(available: archive.tensorNames))
    }
    var members: [FixtureMember] = []
    for name in names {
      let own = "\(group)/\(name.dropFirst(prefix.count))"
      members.append(try FixtureMember(name, of: archive, named: own))
    }
    return members
  }
}
