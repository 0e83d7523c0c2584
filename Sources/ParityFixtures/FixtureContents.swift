import JSON
import RecurrentModel
import TensorArchives
import TensorCore

/// What the files of a fixture hold: its manifest, and the names, types and shapes of its tensors,
/// whose elements are read later. Whether all of it fits together is not checked.
struct FixtureContents {
  let manifest: Manifest
  /// The JSON value that the manifest was read from.
  let json: JSONValue
  /// All tensors, with those that the manifest takes from other files.
  private let members: [FixtureMember]
  private let path: String

  /// Reads the manifest, and the header of each tensor.
  ///
  /// - Throws: `CaseError` where a file can't be read, or the manifest is none.
  /// - Complexity: O(bytes of the manifest + tensors).
  init(_ location: CaseLocation) throws(CaseError) {
    path = location.path
    let boundary = location.boundary
    let pending: PendingArchive
    let text: String?
    do {
      pending = try PendingArchive(path, within: boundary)
      text = try pending.manifest()
    } catch {
      throw .unreadable(error)
    }
    do throws(InvalidValue) {
      guard let text else {
        throw MissingManifest.error(try? pending.archive(), path: path)
      }
      json = try JSONValue.manifest(text)
      manifest = try Manifest(json)
      guard manifest.borrowed.isEmpty || pending.isFolder else {
        throw InvalidValue("tensors", expected: "none outside a folder", found: "some")
      }
    } catch {
      throw .invalid(path: path, error)
    }
    members = try Self.members(of: pending, path, manifest, boundary)
  }

  /// The tensors of the fixture's own files, and those that are borrowed.
  private static func members(
    of pending: PendingArchive, _ path: String, _ manifest: Manifest, _ boundary: FileBoundary?
  ) throws(CaseError) -> [FixtureMember] {
    let borrowed = manifest.borrowed
    let files = borrowed.values.compactMap { FileBoundary.resolved($0.path(from: path)) }
    var members: [FixtureMember] = []
    do throws(ArchiveError) {
      let archive = try pending.archive(excluding: Set(files))
      for name in archive.tensorNames { members.append(try FixtureMember(name, of: archive)) }
    } catch {
      throw .unreadable(error)
    }
    var names = Set(members.map(\.name))
    for (group, source) in borrowed.sorted(by: { $0.key < $1.key }) {
      let own = try source.members(group: group, of: manifest, from: path, within: boundary)
      for member in own {
        guard names.insert(member.name).inserted else {
          throw .unreadable(
            ArchiveError(
              path: path, member: member.name,
              .corrupt("tensor", expected: "its own or a borrowed one", found: "both")))
        }
        members.append(member)
      }
    }
    return members
  }

  /// Reads the tensors, by their names in the fixture, such as `outputs/h_n`.
  ///
  /// - Parameter isWanted: tells by its name whether a tensor is to be read.
  /// - Throws: `CaseError` where one can't be read.
  /// - Complexity: O(bytes of these tensors) in time and memory.
  func tensors(
    where isWanted: (String) -> Bool = { _ in true }
  ) throws(CaseError) -> [String: Tensor] {
    try read(members.filter { isWanted($0.name) }) { member throws(ArchiveError) in
      try member.tensor()
    }
  }

  private func read(
    _ members: [FixtureMember], _ tensor: (FixtureMember) throws(ArchiveError) -> Tensor
  ) throws(CaseError) -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    do throws(ArchiveError) {
      for member in members { tensors[member.name] = try tensor(member) }
    } catch {
      throw .unreadable(error)
    }
    return tensors
  }
}

// MARK: - Tensors that are not read

extension FixtureContents {
  /// The most bytes that all tensors of a case take where they are read without a look at their
  /// shapes.
  private static let small = 64 << 20
  /// The same of one tensor in a case that is larger.
  private static let smallTensor = 1 << 20

  /// The tensors of a case that is large. Only the small ones are read; in place of the others
  /// stand tensors of zeros, which take no memory. A case whose shapes do not fit can be refused
  /// by these: a file of 1 MB may unpack to 1 GB. Nil for a case that is not large.
  ///
  /// - Throws: `CaseError` where a tensor can't be read, or there are more lengths than the input
  ///   can have sequences.
  func outlines() throws(CaseError) -> [String: Tensor]? {
    guard !members.fits(in: Self.small) else { return nil }
    try checkLengths()
    return try read(members) { member throws(ArchiveError) in
      // What shapes are right depends on the lengths themselves.
      let isRead = member.name == Self.lengths || [member].fits(in: Self.smallTensor)
      if !isRead, let outline = member.outline { return outline }
      return try member.tensor()
    }
  }

  private static let lengths = "inputs/lengths"

  private func checkLengths() throws(CaseError) {
    func shape(_ name: String) -> Shape? { members.first { $0.name == name }?.header.shape }
    guard let found = shape(Self.lengths), let input = shape("inputs/input"),
      found.elementCount > input.axes.max() ?? 0
    else { return }
    throw .invalid(
      path: path,
      InvalidValue(
        Self.lengths, expected: "one for each sequence of inputs/input \(input)",
        found: "\(found)"))
  }
}

extension [FixtureMember] {
  /// Whether all elements take no more than so many bytes.
  fileprivate func fits(in limit: Int) -> Bool {
    var left = limit
    for member in self {
      guard member.header.byteCount <= left else { return false }
      left -= member.header.byteCount
    }
    return true
  }
}
