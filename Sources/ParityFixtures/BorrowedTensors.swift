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
  /// belong to the case. Nil where the manifest does not say; then it is that of the only
  /// recurrent module in the file, where the case is of one.
  package let prefix: String?

  /// How a manifest states that these are the parameters, for an error message.
  var advice: String {
    let start = prefix.map { $0.isEmpty ? "" : ", \"prefix\": \"\($0)\"" } ?? ""
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
      all[group] = BorrowedTensors(file: file, prefix: try values.string("prefix"))
    }
    return all
  }

  /// The tensors of the group, which stand in the other file. Parameters have PyTorch's names
  /// there, in whatever form the file holds them (`CheckpointForm`).
  ///
  /// - Parameters:
  ///   - group: `state_dict`, `inputs` or `outputs`.
  ///   - manifest: the case's.
  ///   - folder: the case's.
  ///   - boundary: the folders that the other file must lie in; nil for anywhere.
  /// - Returns: the tensors under the names that they have in the case, `state_dict/weight_ih_l0`.
  /// - Throws: `CaseError` where the file can't be read, lies outside of the boundary, or holds no
  ///   tensor with the prefix, and where no prefix is stated and several modules are there.
  func members(
    group: String, of manifest: Manifest, from folder: String, within boundary: FileBoundary?
  ) throws(CaseError) -> [FixtureMember] {
    let path = path(from: folder)
    let archive: any TensorArchive
    var prefix = prefix ?? ""
    do throws(ArchiveError) {
      try boundary?.check(path)
      let own = try TensorContainer.open(path, within: boundary)
      archive = group == "state_dict" ? CheckpointArchive(own) : own
    } catch {
      throw .unreadable(error)
    }
    if self.prefix == nil, manifest.isSingleModule, let archive = archive as? CheckpointArchive {
      prefix = try onlyPrefix(of: archive, folder)
    }
    do throws(ArchiveError) {
      return try Self.members(of: archive, prefix, group: group)
    } catch {
      throw .unreadable(error)
    }
  }

  private static func members(
    of archive: any TensorArchive, _ prefix: String, group: String
  ) throws(ArchiveError) -> [FixtureMember] {
    let names = archive.tensorNames.filter { $0.hasPrefix(prefix) && $0 != prefix }
    guard !names.isEmpty else {
      throw ArchiveError(
        path: archive.path, member: prefix + "*", .noSuchMember(available: archive.tensorNames))
    }
    var members: [FixtureMember] = []
    for name in names {
      let own = "\(group)/\(name.dropFirst(prefix.count))"
      members.append(try FixtureMember(name, of: archive, named: own))
    }
    return members
  }

  /// The prefix of the only recurrent module in a checkpoint; none where there is no such module,
  /// and the names of the tensors may be the case's own.
  ///
  /// - Throws: `CaseError` where there are several modules.
  private func onlyPrefix(
    of archive: CheckpointArchive, _ folder: String
  ) throws(CaseError) -> String {
    let modules = archive.modules
    guard modules.count > 1 else { return modules.first?.prefix ?? "" }
    let first = BorrowedTensors(file: file, prefix: modules[0].prefix)
    throw .invalid(
      path: folder,
      InvalidValue(
        "tensors.state_dict.prefix", expected: "the prefix of a module in \(file)",
        found: "none, and the modules \(FoundModule.list(modules))", remedy: first.advice))
  }
}
